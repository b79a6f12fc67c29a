/**
 * How encoder frames become tokens: the seam between the engine and its search methods (`greedy-search.ts`). A search keeps no
 * streams itself; what it knows of one is in that stream's `SearchState`.
 */

/** A token that a search put out. */
export interface EmittedToken {
  readonly id: number;
  /** The encoder frame that it came from, counted from the beginning of the stream. */
  readonly frame: number;
  /** Natural logarithm of the model's probability for it. */
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

export interface Search<State extends SearchState = SearchState> {
  newState(): State;
  /** Goes on through these frames: `settled` and `open` of each state are up to date after it. */
  advance(inputs: readonly SearchInput<State>[]): Promise<void>;
  /** What `advance` would add to `settled`, tokens that might change included; the states stay as they are. */
  lookAhead(inputs: readonly SearchInput<State>[]): Promise<(readonly EmittedToken[])[]>;
  /** All that is open becomes settled: the stream has ended. */
  settle(state: State): void;
}
