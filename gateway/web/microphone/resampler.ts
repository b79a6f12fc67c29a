/** Sound at any rate, made into sound at another one, piece by piece. Runs in an audio worklet: no allocation but its results. */

/** Zero crossings of the filter on each side: the more, the steeper it cuts. */
const CROSSINGS = 24;
/** Of the band that is left after it; the rest is the filter's slope. */
const PASSED_SHARE = 0.92;

/**
 * Band-limited interpolation with a windowed sinc (https://ccrma.stanford.edu/~jos/resample/): what the lower rate cannot carry
 * is filtered out, so that nothing of it comes back as noise.
 */
export class Resampler {
  /** Input samples for each output sample, as a fraction in lowest terms. */
  readonly #step: number;
  readonly #phases: number;
  /** For each phase between two input samples, the weights of `2 * #reach` samples. */
  readonly #weights: readonly Float32Array[];
  readonly #reach: number;
  #input: Float32Array;
  #count = 0;
  /** Of the next output sample, in phases from the beginning of `#input`. */
  #position: number;

  constructor(options: { fromHz: number; toHz: number }) {
    const { fromHz, toHz } = options;
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#step = fromHz / divisor;
    this.#phases = toHz / divisor;
    const cutoff = Math.min(1, toHz / fromHz) * PASSED_SHARE;
    this.#reach = Math.ceil(CROSSINGS / cutoff);
    this.#weights = Array.from({ length: this.#phases }, (_, phase) =>
      weightsAt(phase / this.#phases, { cutoff, reach: this.#reach }),
    );
    this.#input = new Float32Array(4096);
    // Silence before the beginning, so that the first sample is in the middle of the filter.
    this.#count = this.#reach - 1;
    this.#position = (this.#reach - 1) * this.#phases;
  }

  /** Everything that can be said about the output after this input. */
  push(samples: Float32Array): Float32Array {
    this.#keep(samples);
    const result = new Float32Array(this.#available());
    for (let index = 0; index < result.length; index += 1) {
      result[index] = this.#at(this.#position);
      this.#position += this.#step;
    }
    this.#forget();
    return result;
  }

  #available(): number {
    const end = (this.#count - this.#reach) * this.#phases;
    return this.#position >= end ? 0 : Math.ceil((end - this.#position) / this.#step);
  }

  #at(position: number): number {
    const sample = Math.floor(position / this.#phases);
    const weights = this.#weights[position % this.#phases];
    const first = sample - this.#reach + 1;
    let sum = 0;
    for (let tap = 0; tap < 2 * this.#reach; tap += 1)
      sum += (this.#input[first + tap] ?? 0) * (weights?.[tap] ?? 0);
    return sum;
  }

  #keep(samples: Float32Array): void {
    if (this.#count + samples.length > this.#input.length) {
      const larger = new Float32Array(2 * (this.#count + samples.length));
      larger.set(this.#input.subarray(0, this.#count));
      this.#input = larger;
    }
    this.#input.set(samples, this.#count);
    this.#count += samples.length;
  }

  /** What no further output needs. */
  #forget(): void {
    const used = Math.max(0, Math.floor(this.#position / this.#phases) - this.#reach + 1);
    this.#input.copyWithin(0, used, this.#count);
    this.#count -= used;
    this.#position -= used * this.#phases;
  }
}

/** Weights of the samples around a place `fraction` after one of them; their sum is 1. */
function weightsAt(fraction: number, { cutoff, reach }: { cutoff: number; reach: number }): Float32Array {
  const weights = new Float32Array(2 * reach);
  let sum = 0;
  for (let tap = 0; tap < weights.length; tap += 1) {
    const distance = tap - reach + 1 - fraction;
    const weight = sinc(distance * cutoff) * blackman(distance / reach);
    weights[tap] = weight;
    sum += weight;
  }
  return weights.map((weight) => weight / sum);
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** 1 in the middle, 0 at both ends, at -1 and 1. */
const blackman = (x: number): number =>
  Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
