import type { HotwordGraph } from './hotword-graph.js';
import type { Joiner } from './joiner.js';
import type { Predictor } from './predictor.js';
import type { EmittedToken, SavedSearch, Search, SearchInput, SearchState } from './search.js';
import { contextAfter, initialContext } from './token-context.js';
import { BLANK_ID, type ScoringOptions, TokenScorer } from './token-scorer.js';

export interface SearchParts extends ScoringOptions {
  readonly predictor: Pick<Predictor, 'contextSize' | 'rows'>;
  readonly joiner: Pick<Joiner, 'vocabularySize' | 'isBatchable' | 'begin' | 'add' | 'run'>;
  /** Values of an encoder frame. */
  readonly encoderWidth: number;
  /** Treated as blank, as sherpa-onnx does; undefined in vocabularies without it. */
  readonly unknownId: number | undefined;
}

export class GreedyState implements SearchState {
  readonly settled: EmittedToken[] = [];
  readonly open: readonly EmittedToken[] = [];
  trailingBlankFrames = 0;
  /** The last tokens, as the predictor wants them. */
  context: readonly number[];

  constructor(contextSize: number) {
    this.context = initialContext(contextSize);
  }
}

/** A stream on its way through its frames in one call. */
interface Walk {
  readonly input: SearchInput<GreedyState>;
  readonly emitted: EmittedToken[];
  context: readonly number[];
  /** The next frame to look at, from 0. */
  frame: number;
}

/**
 * The likeliest token of every frame, at most one a frame. Frames up to the next token share the predictor's row, so all that
 * are left are scored at once and everything behind the first token is scored again: as many calls as tokens and one more.
 * Favours no phrases.
 */
export class GreedySearch implements Search<GreedyState> {
  readonly #parts: SearchParts;
  readonly #scorer: TokenScorer;

  constructor(parts: SearchParts) {
    this.#parts = parts;
    this.#scorer = new TokenScorer(parts.joiner.vocabularySize, parts);
  }

  newState(): GreedyState {
    return new GreedyState(this.#parts.predictor.contextSize);
  }

  async advance(inputs: readonly SearchInput<GreedyState>[]): Promise<void> {
    for (const { input, emitted, context } of await this.#walkAll(inputs)) {
      const { state, frames, firstFrame } = input;
      const last = emitted.at(-1);
      state.settled.push(...emitted);
      state.context = context;
      state.trailingBlankFrames =
        last === undefined ? state.trailingBlankFrames + frames : firstFrame + frames - 1 - last.frame;
    }
  }

  async lookAhead(inputs: readonly SearchInput<GreedyState>[]): Promise<EmittedToken[][]> {
    const walks = await this.#walkAll(inputs);
    return walks.map(({ emitted }) => emitted);
  }

  settle(): void {
    // Nothing is ever open.
  }

  setHotwords(_state: GreedyState, hotwords: HotwordGraph | undefined): void {
    if (hotwords !== undefined) throw new Error('greedy search cannot favour phrases');
  }

  save({ settled, trailingBlankFrames }: GreedyState): SavedSearch {
    return {
      settled: [...settled],
      hypotheses: [{ tail: [], logProbability: 0, said: [] }],
      trailingBlankFrames,
    };
  }

  /** Of several hypotheses it goes on with the first, which is the best. */
  restore({ settled, hypotheses, trailingBlankFrames }: SavedSearch): GreedyState {
    const state = this.newState();
    state.settled.push(...settled, ...(hypotheses[0]?.tail ?? []));
    state.context = contextAfter(state.settled, this.#parts.predictor.contextSize);
    state.trailingBlankFrames = trailingBlankFrames;
    return state;
  }

  async #walkAll(inputs: readonly SearchInput<GreedyState>[]): Promise<Walk[]> {
    const walks = inputs.map((input) => ({ input, emitted: [], context: input.state.context, frame: 0 }));
    if (this.#parts.joiner.isBatchable) await this.#walk(walks);
    else for (const walk of walks) await this.#walk([walk]);
    return walks;
  }

  async #walk(walks: readonly Walk[]): Promise<void> {
    const { predictor, joiner, encoderWidth } = this.#parts;
    let going = walks.filter(({ frame, input }) => frame < input.frames);
    while (going.length > 0) {
      const rows = await predictor.rows(going.map(({ context }) => context));
      joiner.begin(going.reduce((sum, { frame, input }) => sum + input.frames - frame, 0));
      for (const [index, { input, frame: first }] of going.entries()) {
        const row = rows[index];
        if (row === undefined) continue;
        for (let frame = first; frame < input.frames; frame++)
          joiner.add(input.encoderOutput, input.offset + frame * encoderWidth, row);
      }
      const scores = await joiner.run();
      let offset = 0;
      for (const walk of going) offset = this.#takeUpToToken(walk, scores, offset);
      going = going.filter(({ frame, input }) => frame < input.frames);
    }
  }

  /** Moves a walk behind its next token, or to its end. Returns where the scores of the next walk begin. */
  #takeUpToToken(walk: Walk, scores: Float32Array, offset: number): number {
    const { vocabularySize } = this.#parts.joiner;
    const { frames, firstFrame } = walk.input;
    const end = offset + (frames - walk.frame) * vocabularySize;
    for (let row = offset; row < end; row += vocabularySize) {
      const id = this.#scorer.likeliest(scores, row);
      const frame = firstFrame + walk.frame;
      walk.frame += 1;
      if (id === BLANK_ID || id === this.#parts.unknownId) continue;
      walk.emitted.push({ id, frame, logProbability: this.#scorer.logProbability(scores, row, id) });
      walk.context = [...walk.context.slice(1), id];
      break;
    }
    return end;
  }
}
