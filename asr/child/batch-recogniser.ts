import type { Token } from '../token.js';

/** What a model must offer to be driven by the child's scheduler. Synchronous: it runs in a process of its own. */
export interface BatchRecogniser {
  open(firstSample: number): RecogniserStream;
  /** Decodes one chunk of each stream, all of which are `isReady()`. */
  decode(streams: readonly RecogniserStream[]): void;
  /** The stream is not used any more; its native memory may be freed. */
  release(stream: RecogniserStream): void;
  /** Puts case and punctuation on a finished text; undefined where no such model is installed. */
  punctuate(text: string): string | undefined;
}

export interface RecogniserStream {
  /** Any number of samples at 16 kHz in [-1, 1). */
  accept(samples: Float32Array): void;
  /** No more audio comes: what is left becomes decodable. When it is not ready any more after this, it is done. */
  finish(): void;
  isReady(): boolean;
  /** All tokens so far, in order; only ever grows. */
  tokens(): readonly Token[];
  /** All audio before this position was taken into account. */
  readonly decodedThroughSample: number;
}
