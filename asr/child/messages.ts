/**
 * The contract between the gateway's process (the parent) and a recogniser child, over Node's IPC channel with
 * `serialization: 'advanced'`.
 *
 *   parent                                   child
 *     |  spawn                                 |
 *     |                     hello {version}  <-|   refused by the parent when the version differs
 *     |-> configure {version, recogniser}      |   exits with `configurationRefused` when the model cannot be used
 *     |                       ready {...}    <-|   within the parent's ready deadline
 *     |-> open, audio, vocabulary, finish,     |
 *     |   cancel                               |
 *     |-> save               saved {...}     <-|   a stream's state, to go on from in another child; between two calls
 *     |                       decoded {...}  <-|   one message per call, over all streams of that call; a look ahead is one too
 *     |-> ping {id}          pong {id}       <-|   every second; silence for `heartbeatTimeoutMs` means hung: SIGKILL
 *     |-> shutdown                             |   exits with `asked`
 *
 * The heartbeat works both ways: a child that hears nothing for `ORPHAN_TIMEOUT_MS`, or whose channel closes, ends itself.
 * A child never restarts anything and knows no rooms. All audio of an utterance can be sent again to another child.
 */
import type { Token } from '../token.js';

export const CHILD_PROTOCOL_VERSION = 5;
export const ORPHAN_TIMEOUT_MS = 15_000;

/** Exit codes of a child. Anything else, and every signal, is a crash: restarted with backoff. */
export const CHILD_EXIT = {
  /** It was asked to shut down. */
  asked: 0,
  /** Parent and child are of different versions: fatal, no restart. */
  versionMismatch: 41,
  /** The model or the configuration cannot be used; the reason is on standard error: fatal, no restart. */
  configurationRefused: 42,
  /** The parent is gone or silent. */
  orphaned: 43,
  /** An error that the child noticed itself: restarted. */
  internalError: 44,
} as const;

/** `zipformer`: our own; `sherpa`: sherpa-onnx; `auto`: our own where it can run the model, else sherpa-onnx. */
export type EngineChoice = 'auto' | 'zipformer' | 'sherpa';

/** Files and settings of a streaming transducer. Paths are absolute. */
export interface RecogniserConfig {
  readonly engine: EngineChoice;
  readonly encoder: string;
  readonly decoder: string;
  readonly joiner: string;
  readonly tokens: string;
  /** Pieces and their scores; without it no phrases can be favoured. */
  readonly bpeVocab?: string;
  /** Folder in which the engine of our own keeps rewritten graphs. Default: it rewrites them at every start. */
  readonly graphCacheDir?: string;
  /** Threads of one decoding call; 1 gives the most streams per core. */
  readonly threads: number;
  /**
   * How many words, per word said, may change after they were shown: how daring the engine of our own is before a chunk is
   * full. 0: it waits for full chunks.
   */
  readonly changedWordsAllowed: number;
  /** Folder of a sherpa-onnx online punctuation model, applied to final texts. */
  readonly punctuationModel?: { readonly model: string; readonly bpeVocab: string };
}

/** Phrases to favour in audio from a position on, instead of those before. */
export interface VocabularyChange {
  /**
   * Holds from the first chunk on that has audio after this position, so that the same audio gives the same words however
   * it arrived, also when it is sent again to another child.
   */
  readonly fromSample: number;
  readonly phrases: readonly string[];
}

export type ToChild =
  | {
      readonly kind: 'configure';
      readonly version: number;
      readonly recogniser: RecogniserConfig;
      /** A decoding call should not take longer: bounds how long a stream waits for its turn. */
      readonly decodeCallBudgetMs: number;
    }
  | {
      readonly kind: 'open';
      readonly utterance: number;
      readonly firstSample: number;
      /** In the order of their positions. Default: none. */
      readonly vocabularies?: readonly VocabularyChange[];
      /** It goes on from there; audio follows from `acceptedThroughSample` on. Default: from `firstSample` on. */
      readonly saved?: SavedUtterance;
    }
  | {
      readonly kind: 'audio';
      readonly pieces: readonly { readonly utterance: number; readonly pcm: Int16Array }[];
    }
  /** Sent before the audio that it is about. */
  | { readonly kind: 'vocabulary'; readonly utterance: number; readonly change: VocabularyChange }
  | { readonly kind: 'finish'; readonly utterance: number }
  /** Answered by `saved`. With `isLeaving` the utterance ends here once its state is told. */
  | { readonly kind: 'save'; readonly utterance: number; readonly isLeaving: boolean }
  | { readonly kind: 'cancel'; readonly utterance: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'shutdown' };

/** An utterance in the middle of its audio, for any child with the same model and engine. */
export interface SavedUtterance {
  /** What the recogniser makes of a stream; of no meaning to others. Some 350 kB with the default model. */
  readonly state: Uint8Array;
  /** So many committed tokens had been told. */
  readonly reportedTokens: number;
  /** All audio before this position is in it, decoded or not. */
  readonly acceptedThroughSample: number;
  readonly decodedThroughSample: number;
}

/** What one decoding call added to one utterance. */
export interface DecodedPiece {
  readonly utterance: number;
  /** Committed tokens since the last message. */
  readonly appended: readonly Token[];
  readonly provisional: readonly Token[];
  readonly decodedThroughSample: number;
  /** A look ahead needed the audio before this position for what it tells. Default `decodedThroughSample`. */
  readonly heardThroughSample?: number;
  readonly isFinal: boolean;
  /** With `isFinal` and a punctuation model: the text of the utterance with case and punctuation. */
  readonly punctuatedText?: string;
}

export type FromChild =
  | { readonly kind: 'hello'; readonly version: number }
  | {
      readonly kind: 'ready';
      readonly loadMs: number;
      readonly engine: 'zipformer' | 'sherpa';
      /** Why it is sherpa, where `auto` would have preferred our own. */
      readonly refusal?: string;
      /** It answers `save` with a state. */
      readonly savesStreams: boolean;
    }
  /** Without `saved`: it is not open, is finishing, or cannot be saved; then it stays where it is. */
  | { readonly kind: 'saved'; readonly utterance: number; readonly saved?: SavedUtterance }
  | {
      readonly kind: 'decoded';
      readonly pieces: readonly DecodedPiece[];
      /** How long the call took, and over how many streams. */
      readonly callMs: number;
      readonly batchSize: number;
    }
  | {
      readonly kind: 'utteranceFailed';
      readonly utterance: number;
      readonly code: string;
      readonly message: string;
    }
  | { readonly kind: 'pong'; readonly id: number };
