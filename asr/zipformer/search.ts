/**
 * How encoder frames become tokens: the seam between the engine and its search methods (`greedy-search.ts`, `beam-search.ts`,
 * and `vocabulary-search.ts`, which takes the one or the other). A search keeps no streams itself; what it knows of one is in
 * that stream's `SearchState`.
 */
import type { HotwordGraph } from './hotword-graph.js';

/** A token that a search put out. */
export interface EmittedToken {
  readonly id: number;
  /** The encoder frame that it came from, counted from the beginning of the stream. */
  readonly frame: number;
  /** Natural logarithm of the model's probability for it, as `TokenScorer` has it. */
  readonly logProbability: number;
}

/** What a search knows of one stream. Each search has a class of its own. */
export interface SearchState {
  /** Tokens that never change any more. Only ever grows. */
  readonly settled: readonly EmittedToken[];
  /** The best guess at what follows them. Always empty with greedy search. */
  readonly open: readonly EmittedToken[];
  /** Encoder frames since the last token of the best guess. */
  readonly trailingBlankFrames: number;
}

/** Frames of one stream. */
export interface SearchInput<State extends SearchState> {
  readonly state: State;
  /** Rows of encoder output from `offset` (in values) on. */
  readonly encoderOutput: Float32Array;
  readonly offset: number;
  readonly frames: number;
  /** Position of the first of them in the stream. */
  readonly firstFrame: number;
}

/** One way on from the settled tokens, as it is saved. */
export interface SavedHypothesis {
  readonly tail: readonly EmittedToken[];
  /** Of the whole, boosts included; only differences between hypotheses of one stream mean something. */
  readonly logProbability: number;
  /** Tokens of the favoured phrase that it is in the middle of. */
  readonly said: readonly number[];
}

/** A stream's search as plain data, for another process with the same model. Its vocabulary is saved by whoever gave it. */
export interface SavedSearch {
  readonly settled: readonly EmittedToken[];
  /** The best one first; always one with greedy search. */
  readonly hypotheses: readonly SavedHypothesis[];
  readonly trailingBlankFrames: number;
}

export interface Search<State extends SearchState = SearchState> {
  /** Of a stream that has heard nothing. Without `hotwords` no phrases are favoured. */
  newState(hotwords?: HotwordGraph): State;
  /** Goes on through these frames: `settled` and `open` of each state are up to date after it. */
  advance(inputs: readonly SearchInput<State>[]): Promise<void>;
  /** What `advance` would add to `settled`, tokens that might change included; the states stay as they are. */
  lookAhead(inputs: readonly SearchInput<State>[]): Promise<(readonly EmittedToken[])[]>;
  /** All that is open becomes settled: the stream has ended. */
  settle(state: State): void;
  /** Favours other phrases from now on; undefined for none. What is settled stays. Not while a call is under way. */
  setHotwords(state: State, hotwords: HotwordGraph | undefined): void;
  save(state: State): SavedSearch;
  restore(saved: SavedSearch, hotwords?: HotwordGraph): State;
}
