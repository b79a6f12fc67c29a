import type { Token } from '../token.js';
import type { VocabularyChange } from './messages.js';

/**
 * What a model must offer to be driven by the child's scheduler, which makes one call at a time. Audio may be accepted, streams
 * may be finished, opened and released while a call is under way.
 */
export interface BatchRecogniser {
  /** `vocabularies`: what to favour from where on; left alone by recognisers without `setVocabulary`. */
  open(firstSample: number, vocabularies?: readonly VocabularyChange[]): RecogniserStream;
  /** Other phrases for a stream that runs, in audio that it has not been given yet. Absent where a model favours none. */
  readonly setVocabulary?: (stream: RecogniserStream, change: VocabularyChange) => void;
  /**
   * Decodes one chunk of each of `streams`, all of which are `isReady()`, and in the same call looks ahead at others, which costs
   * less than a call of their own. Either may be empty. Looks are taken by recognisers that `looksAhead` only.
   */
  decode(streams: readonly RecogniserStream[], looks?: LookAhead): Promise<void> | void;
  readonly looksAhead: boolean;
  /** What one stream says does not depend on the others in its call. */
  readonly isBatchIndependent: boolean;
  /** A stream as bytes, which stays as it is. Not while a call is under way. Absent where a model cannot, as is `restore`. */
  readonly save?: (stream: RecogniserStream) => Uint8Array;
  /** A stream that goes on where one was saved with the same model. Throws when it was another one. */
  readonly restore?: (state: Uint8Array, vocabularies?: readonly VocabularyChange[]) => RecogniserStream;
  /** The stream is not used any more; its native memory may be freed. */
  release(stream: RecogniserStream): void;
  /** Puts case and punctuation on a finished text; undefined where no such model is installed. */
  punctuate(text: string): string | undefined;
}

/** Streams whose chunk is not whole yet. What the newest audio of each may say is in `provisional()` afterwards. */
export interface LookAhead {
  readonly streams: readonly RecogniserStream[];
  /** What the newest of so many feature frames (10 ms each) say is left out: too little is known of what follows. */
  readonly slackFrames: number;
}

export interface RecogniserStream {
  /** Any number of samples at 16 kHz in [-1, 1). Their memory is the caller's again afterwards. */
  accept(samples: Float32Array): void;
  /** No more audio comes: what is left becomes decodable. When it is not ready any more after this, it is done. */
  finish(): void;
  isReady(): boolean;
  /** All tokens so far, in order; only ever grows. */
  tokens(): readonly Token[];
  /** May follow `tokens()`, and may change with every call. Always empty where the model cannot speculate. */
  provisional(): readonly Token[];
  /**
   * Audio that a look with this slack would tell of and the last call over this stream did not, in samples; 0 where a look would
   * tell nothing new.
   */
  speculableSamples(slackFrames: number): number;
  /** Audio that its next chunk still lacks, in samples; 0 where it is ready. */
  readonly samplesUntilWhole: number;
  /** All audio before this position was accepted. */
  readonly acceptedThroughSample: number;
  /** All audio before this position was taken into account. */
  readonly decodedThroughSample: number;
  /** What the last look needed to have heard; `decodedThroughSample` where none was taken after the last whole chunk. */
  readonly heardThroughSample: number;
}
