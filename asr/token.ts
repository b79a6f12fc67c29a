import type { SampleIndex } from '../protocol/index.js';

/** One piece of text as the model emits it. */
export interface Token {
  /** A leading space marks the beginning of a word. */
  readonly text: string;
  /** The encoder frame that emitted it. */
  readonly atSample: SampleIndex;
  /** Natural logarithm of the model's probability for it, at most 0; absent where the model gives none. */
  readonly logProbability?: number;
}

/** What a recogniser makes of one utterance so far. Later hypotheses of the same utterance replace earlier ones. */
export interface Hypothesis {
  /** Never revised by the engine. */
  readonly committed: readonly Token[];
  /** Follow the committed ones and may still change. Empty with engines that only commit. */
  readonly provisional: readonly Token[];
  /** All audio before this position was taken into account. */
  readonly decodedThroughSample: SampleIndex;
  /** What looking ahead needed to have heard for this. Default `decodedThroughSample`. */
  readonly heardThroughSample?: SampleIndex;
  /** Nothing more comes for this utterance. */
  readonly isFinal: boolean;
  /** How long the decoding call took that led to this, in milliseconds; absent where that is not known. */
  readonly callMs?: number;
}

/** A word with its raw text, before formatting. */
export interface RecognisedWord {
  readonly text: string;
  readonly startSample: SampleIndex;
  readonly endSample: SampleIndex;
  /** Where its first token was emitted: decides to which segment the word belongs. */
  readonly firstTokenSample: SampleIndex;
  readonly lastTokenSample: SampleIndex;
  /** 0 to 1; the geometric mean of the probabilities of its tokens. */
  readonly confidence?: number;
  /** False as long as a provisional token is part of it. */
  readonly isCommitted: boolean;
}
