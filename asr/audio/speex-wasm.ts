/**
 * The Speex resampler (speexdsp's `resample.c`) out of the package `speex-resampler`, without its JavaScript class.
 * That class never frees a stream, and gives the C code room for floor(n * outHz / inHz) samples: where the rates do not
 * divide, a chunk now and then yields one more, and the input that belongs to it is dropped.
 * The WebAssembly module itself is what its `initPromise` resolves to.
 */
import { createRequire } from 'node:module';
import { CaptionError } from '../../protocol/index.js';

/** What we use of the Emscripten module. Pointers are byte addresses; `HEAP…` are replaced when its memory grows. */
interface SpeexModule {
  readonly HEAP16: Int16Array;
  readonly HEAPU32: Uint32Array;
  /** 0 when there is no memory. */
  _malloc(bytes: number): number;
  /** 0 when it failed. The arguments are channels, inHz, outHz, quality, address of an error number. */
  _speex_resampler_init(...settings: [number, number, number, number, number]): number;
  _speex_resampler_destroy(state: number): void;
  /** Arguments: state, input, address of its length, output, address of its length. Lengths become what was done. */
  _speex_resampler_process_interleaved_int(...buffers: [number, number, number, number, number]): number;
}

/** Samples handed over at a time, either way. */
const SCRATCH_SAMPLES = 4096;
const BYTES_PER_SAMPLE = 2;
const BYTES_PER_NUMBER = 4;

/** One set of buffers for all streams: calls do not overlap. */
interface Scratch {
  readonly input: number;
  readonly output: number;
  readonly inputLength: number;
  readonly outputLength: number;
}

export interface SpeexStreamOptions {
  readonly fromHz: number;
  readonly toHz: number;
  /** 0 (fast) to 10 (best). */
  readonly quality: number;
}

/** One mono stream; its state lives in the module's memory until `destroy()`. */
export class SpeexStream {
  readonly #module: SpeexModule;
  readonly #scratch: Scratch;
  #state: number;

  constructor(loaded: LoadedSpeex, options: SpeexStreamOptions) {
    this.#module = loaded.module;
    this.#scratch = loaded.scratch;
    this.#state = loaded.module._speex_resampler_init(
      1,
      options.fromHz,
      options.toHz,
      options.quality,
      loaded.scratch.inputLength,
    );
    if (this.#state === 0) throw outOfMemory();
  }

  /** All samples that `pcm` makes available; the filter's delay is in them. Not to be called after `destroy()`. */
  resample(pcm: Int16Array): Int16Array {
    const parts: Int16Array[] = [];
    for (let done = 0; done < pcm.length;) {
      const step = this.#resampleBlock(pcm.subarray(done, done + SCRATCH_SAMPLES));
      done += step.consumedSamples;
      parts.push(step.output);
    }
    return concatenate(parts);
  }

  /** Frees the stream's memory. May be called again. */
  destroy(): void {
    if (this.#state !== 0) this.#module._speex_resampler_destroy(this.#state);
    this.#state = 0;
  }

  /** Speex takes as much of the block as there is room for its output; the caller offers the rest again. */
  #resampleBlock(block: Int16Array): { consumedSamples: number; output: Int16Array } {
    const { input, output, inputLength, outputLength } = this.#scratch;
    this.#module.HEAP16.set(block, input / BYTES_PER_SAMPLE);
    this.#module.HEAPU32[inputLength / BYTES_PER_NUMBER] = block.length;
    this.#module.HEAPU32[outputLength / BYTES_PER_NUMBER] = SCRATCH_SAMPLES;
    this.#module._speex_resampler_process_interleaved_int(
      this.#state,
      input,
      inputLength,
      output,
      outputLength,
    );
    const produced = this.#module.HEAPU32[outputLength / BYTES_PER_NUMBER] ?? 0;
    const start = output / BYTES_PER_SAMPLE;
    return {
      consumedSamples: this.#module.HEAPU32[inputLength / BYTES_PER_NUMBER] ?? 0,
      output: this.#module.HEAP16.slice(start, start + produced),
    };
  }
}

/** The module with its buffers. */
export interface LoadedSpeex {
  readonly module: SpeexModule;
  readonly scratch: Scratch;
}

let loading: Promise<LoadedSpeex> | undefined;

/** Loads the module on first use: about 20 MB of address space, of which little is touched. One per process. */
export function loadSpeex(): Promise<LoadedSpeex> {
  loading ??= requireModule().then((module) => ({ module, scratch: allocateScratch(module) }));
  return loading;
}

/** Emscripten's loader adds listeners that turn any unhandled rejection of the process into its own abort: they go. */
const HIJACKED_EVENTS = ['uncaughtException', 'unhandledRejection'];

function requireModule(): Promise<SpeexModule> {
  const before = HIJACKED_EVENTS.map((event) => process.rawListeners(event));
  const loaded = createRequire(import.meta.url)('speex-resampler') as {
    readonly default: { readonly initPromise: Promise<SpeexModule> };
  };
  HIJACKED_EVENTS.forEach((event, index) => {
    const added = process.rawListeners(event).filter((listener) => !before[index]?.includes(listener));
    for (const listener of added) process.removeListener(event, listener as (...args: unknown[]) => void);
  });
  return loaded.default.initPromise;
}

function allocateScratch(module: SpeexModule): Scratch {
  const allocate = (bytes: number): number => {
    const address = module._malloc(bytes);
    if (address === 0) throw outOfMemory();
    return address;
  };
  return {
    input: allocate(SCRATCH_SAMPLES * BYTES_PER_SAMPLE),
    output: allocate(SCRATCH_SAMPLES * BYTES_PER_SAMPLE),
    inputLength: allocate(BYTES_PER_NUMBER),
    outputLength: allocate(BYTES_PER_NUMBER),
  };
}

const outOfMemory = (): CaptionError =>
  new CaptionError(
    'resampler_failed',
    'The resampler has no memory left; close streams that are not needed.',
    {
      retryable: true,
    },
  );

function concatenate(parts: readonly Int16Array[]): Int16Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Int16Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
