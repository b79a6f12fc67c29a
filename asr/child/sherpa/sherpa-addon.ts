/**
 * The only file that loads the addon. Its package has no usable types for ESM, and several calls end the whole
 * process (`_Exit`) when they are misused; see `sherpa-recogniser.ts` for the rules that keep us off those paths.
 */
import { createRequire } from 'node:module';

export interface AddonStream {
  acceptWaveform(waveform: { samples: Float32Array; sampleRate: number }): void;
  inputFinished(): void;
}

export interface AddonResult {
  readonly tokens: readonly string[];
  /** Seconds since the beginning of the stream. */
  readonly timestamps: readonly number[];
  /** Natural logarithms; empty with some decoding methods. */
  readonly ys_probs?: readonly number[];
}

export interface AddonRecogniser {
  createStream(): AddonStream;
  isReady(stream: AddonStream): boolean;
  /** Ends the process when a stream is not ready. */
  decodeStreams(streams: AddonStream[]): void;
  getResult(stream: AddonStream): AddonResult;
}

interface Addon {
  readonly version: string;
  readonly OnlineRecognizer: new (config: unknown) => AddonRecogniser;
  readonly OnlinePunctuation: new (config: unknown) => { addPunct(text: string): string };
}

export function loadAddon(): Addon {
  return createRequire(import.meta.url)('sherpa-onnx-node') as Addon;
}
