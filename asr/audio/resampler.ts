/**
 * Streaming conversion of mono 16-bit audio to 16 kHz.
 *
 * The filter delays by half its length. So that output sample n stands for input time n / 16,000 s exactly, zeros are put in
 * front until delay and zeros together are a whole number of output samples, and that many samples are left out:
 *
 *   into the filter   | zeros (padding) | input ...                  | zeros (flush) |
 *   out of it         | skipped: padding + delay | output sample 0, 1, 2 ...         |
 */
import { CaptionError, SAMPLE_RATE_HZ } from '../../protocol/index.js';
import { loadSpeex, SpeexStream } from './speex-wasm.js';

/** Lowest and highest rate that is converted. */
export const MIN_INPUT_RATE_HZ = 4_000;
export const MAX_INPUT_RATE_HZ = 384_000;
/** Keeps everything up to 7.1 kHz, which is what recognisers look at, for half the cost of Speex's own default of 7. */
export const DEFAULT_RESAMPLER_QUALITY = 5;

/** One stream on its way to 16 kHz. The owner calls `close()`. */
export interface Resampler {
  /** The rate of what goes in. */
  readonly fromHz: number;
  /**
   * Next piece of input, of any length, to as much output as can be told by now (2.5 to 5 ms are held back at the default
   * quality). Input that is at 16 kHz already is returned as it is, not copied.
   * @throws CaptionError `resampler_closed` after `flush()` or `close()`.
   */
  process(pcm: Int16Array): Int16Array;
  /** The rest. In all there are round(input samples * 16,000 / fromHz) samples. Empty when called again. */
  flush(): Int16Array;
  /** Frees the memory of the filter (2 to 9 kB at the default quality). May be called again. */
  close(): void;
}

/**
 * @param fromHz whole number from 4,000 to 384,000.
 * @param quality Speex's 0 (fast) to 10 (best); default 5.
 * @throws CaptionError `sample_rate_unsupported`; `resampler_failed` (retryable) when memory is short.
 */
export async function createResampler(
  fromHz: number,
  quality: number = DEFAULT_RESAMPLER_QUALITY,
): Promise<Resampler> {
  if (!Number.isInteger(fromHz) || fromHz < MIN_INPUT_RATE_HZ || fromHz > MAX_INPUT_RATE_HZ) {
    throw new CaptionError(
      'sample_rate_unsupported',
      `A sample rate of ${fromHz} Hz cannot be converted; send ${MIN_INPUT_RATE_HZ} to ${MAX_INPUT_RATE_HZ} Hz, best 16000 Hz.`,
    );
  }
  if (fromHz === SAMPLE_RATE_HZ) return new PassThrough();
  const filterSamples = filterLengthSamples(fromHz, quality);
  const stream = new SpeexStream(await loadSpeex(), { fromHz, toHz: SAMPLE_RATE_HZ, quality });
  return new SpeexResampler(stream, fromHz, filterSamples / 2);
}

/** `base_length` of `quality_map` in speexdsp's resample.c. */
const FILTER_LENGTH_BY_QUALITY: readonly number[] = [8, 16, 32, 48, 64, 80, 96, 128, 160, 192, 256];

/** Length of the filter in input samples, as `update_filter()` of speexdsp's resample.c computes it. */
function filterLengthSamples(fromHz: number, quality: number): number {
  const base = FILTER_LENGTH_BY_QUALITY[quality];
  if (base === undefined) {
    throw new CaptionError('resampler_failed', `There is no resampler quality ${quality}; use 0 to 10.`);
  }
  if (fromHz <= SAMPLE_RATE_HZ) return base;
  const stretched = Math.floor((base * fromHz) / SAMPLE_RATE_HZ);
  return Math.ceil(stretched / 8) * 8;
}

class SpeexResampler implements Resampler {
  readonly fromHz: number;
  readonly #stream: SpeexStream;
  #skipSamples: number;
  #inputSamples = 0;
  #outputSamples = 0;
  #open = true;

  constructor(stream: SpeexStream, fromHz: number, delaySamples: number) {
    this.fromHz = fromHz;
    this.#stream = stream;
    const divisor = greatestCommonDivisor(fromHz, SAMPLE_RATE_HZ);
    const periodSamples = fromHz / divisor;
    const periods = Math.ceil(delaySamples / periodSamples);
    this.#skipSamples = periods * (SAMPLE_RATE_HZ / divisor);
    this.#take(new Int16Array(periods * periodSamples - delaySamples));
  }

  process(pcm: Int16Array): Int16Array {
    if (!this.#open) throw closedError();
    this.#inputSamples += pcm.length;
    return this.#take(pcm);
  }

  flush(): Int16Array {
    if (!this.#open) return new Int16Array(0);
    const missing = Math.round((this.#inputSamples * SAMPLE_RATE_HZ) / this.fromHz) - this.#outputSamples;
    const tail = new Int16Array(missing);
    const zeros = new Int16Array(1024);
    for (let filled = 0; filled < missing;) {
      const part = this.#take(zeros).subarray(0, missing - filled);
      tail.set(part, filled);
      filled += part.length;
    }
    this.close();
    return tail;
  }

  close(): void {
    this.#open = false;
    this.#stream.destroy();
  }

  /** Through the filter, without the samples that are to be skipped. */
  #take(pcm: Int16Array): Int16Array {
    const output = this.#stream.resample(pcm);
    const skipped = Math.min(this.#skipSamples, output.length);
    this.#skipSamples -= skipped;
    this.#outputSamples += output.length - skipped;
    return skipped === 0 ? output : output.subarray(skipped);
  }
}

class PassThrough implements Resampler {
  readonly fromHz = SAMPLE_RATE_HZ;
  #open = true;

  process(pcm: Int16Array): Int16Array {
    if (!this.#open) throw closedError();
    return pcm;
  }

  flush(): Int16Array {
    this.#open = false;
    return new Int16Array(0);
  }

  close(): void {
    this.#open = false;
  }
}

const closedError = (): CaptionError =>
  new CaptionError(
    'resampler_closed',
    'Audio came after the resampler was flushed or closed; create another one.',
  );

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
