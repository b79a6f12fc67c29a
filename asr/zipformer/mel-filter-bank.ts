/**
 * Log-mel features of one frame, in kaldi-native-fbank's numbers as sherpa-onnx sets them for k2-fsa models: mean removed,
 * pre-emphasis, Povey window, power spectrum of 512 points, 80 triangular filters from 20 to 7,600 Hz, natural logarithm.
 * Holds tables and scratch space only: one serves any number of streams.
 */
import { msToSamples, SAMPLE_RATE_HZ } from '../../protocol/index.js';
import { FFT_BINS, FFT_POINTS, RealFft512 } from './real-fft.js';

export const MEL_BINS = 80;
/** 25 ms. */
export const FRAME_SAMPLES = msToSamples(25);
/** 10 ms. */
export const FRAME_SHIFT_SAMPLES = msToSamples(10);

const PRE_EMPHASIS = 0.97;
const POVEY_EXPONENT = 0.85;
const LOWEST_HZ = 20;
const HIGHEST_HZ = SAMPLE_RATE_HZ / 2 - 400;
/** `std::numeric_limits<float>::epsilon()`: the least power of which a logarithm is taken. */
const POWER_FLOOR = 2 ** -23;

const melOf = (hz: number): number => 1127 * Math.log(1 + hz / 700);

export class MelFilterBank {
  readonly #fft = new RealFft512();
  readonly #power = new Float64Array(FFT_BINS);
  readonly #window = Float64Array.from({ length: FRAME_SAMPLES }, (_, index) =>
    Math.pow(0.5 - 0.5 * Math.cos((2 * Math.PI * index) / (FRAME_SAMPLES - 1)), POVEY_EXPONENT),
  );
  /** Each filter's first frequency, and where its weights begin; one more entry marks the end of the last. */
  readonly #firstBins = new Int32Array(MEL_BINS);
  readonly #weightOffsets = new Int32Array(MEL_BINS + 1);
  readonly #weights: Float64Array;

  constructor() {
    const lowest = melOf(LOWEST_HZ);
    const width = (melOf(HIGHEST_HZ) - lowest) / (MEL_BINS + 1);
    const weights: number[] = [];
    for (let filter = 0; filter < MEL_BINS; filter++) {
      const left = lowest + filter * width;
      this.#firstBins[filter] = -1;
      for (let bin = 0; bin < FFT_BINS; bin++) {
        const above = (melOf((bin * SAMPLE_RATE_HZ) / FFT_POINTS) - left) / width;
        if (above <= 0 || above >= 2) continue;
        if (this.#firstBins[filter] === -1) this.#firstBins[filter] = bin;
        weights.push(above <= 1 ? above : 2 - above);
      }
      this.#weightOffsets[filter + 1] = weights.length;
    }
    this.#weights = Float64Array.from(weights);
  }

  /** Features of the `FRAME_SAMPLES` samples from `offset` on, written to `target` from `targetOffset` on. */
  compute(
    samples: Float32Array,
    offset: number,
    { target, targetOffset }: { target: Float32Array; targetOffset: number },
  ): void {
    const spectrum = this.#fft.input;
    let sum = 0;
    for (let i = 0; i < FRAME_SAMPLES; i++) sum += samples[offset + i] ?? 0;
    const mean = sum / FRAME_SAMPLES;
    let previous = (samples[offset] ?? 0) - mean;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const value = (samples[offset + i] ?? 0) - mean;
      spectrum[i] = (value - PRE_EMPHASIS * previous) * (this.#window[i] ?? 0);
      previous = value;
    }
    spectrum.fill(0, FRAME_SAMPLES);
    this.#fft.power(this.#power);
    this.#applyFilters(target, targetOffset);
  }

  #applyFilters(target: Float32Array, targetOffset: number): void {
    const power = this.#power;
    const weights = this.#weights;
    let weight = 0;
    for (let filter = 0; filter < MEL_BINS; filter++) {
      let bin = this.#firstBins[filter] ?? 0;
      const end = this.#weightOffsets[filter + 1] ?? 0;
      let energy = 0;
      for (; weight < end; weight++, bin++) energy += (weights[weight] ?? 0) * (power[bin] ?? 0);
      target[targetOffset + filter] = Math.log(Math.max(energy, POWER_FLOOR));
    }
  }
}
