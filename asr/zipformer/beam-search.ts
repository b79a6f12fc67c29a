import { addLogarithms, BeamState, type Hypothesis, keyOf, sortedByProbability } from './beam-state.js';
import type { SearchParts } from './greedy-search.js';
import type { HotwordGraph } from './hotword-graph.js';
import type { EmittedToken, SavedSearch, Search, SearchInput } from './search.js';
import { BLANK_ID, TokenScorer } from './token-scorer.js';

/** As k2-fsa's `num_active_paths`. */
const DEFAULT_ACTIVE_PATHS = 4;
/** Hypotheses so far behind the best one (a natural logarithm) are given up. */
const DEFAULT_MARGIN = 5;
/** 640 ms. After 2 s as many words are wrong, and three times as many tokens are open. */
const DEFAULT_MAX_OPEN_FRAMES = 16;

export interface BeamOptions {
  /** Hypotheses of a stream that are kept from one frame to the next, at least 1. Default 4. */
  readonly activePaths?: number;
  /** How far a hypothesis may fall behind the best one, a natural logarithm. Default 5. */
  readonly margin?: number;
  /** Tokens that the hypotheses still do not agree on after so many frames are settled as the best one has them. Default 16. */
  readonly maxOpenFrames?: number;
}

/** A stream on its way through its frames in one call. */
interface Walk {
  readonly input: SearchInput<BeamState>;
  readonly state: BeamState;
}

/** A hypothesis' next token, and what the hypothesis is worth with it. */
interface Candidate {
  readonly hypothesis: Hypothesis;
  readonly id: number;
  readonly logProbability: number;
  /** Where the scores of its hypothesis begin. */
  readonly row: number;
}

/**
 * k2-fsa's modified beam search: at most one token a frame, a few hypotheses a stream, those with the same tokens added up,
 * favoured phrases on top (`HotwordGraph`). A token is settled as soon as all hypotheses have it. Scores of the streams'
 * hypotheses come from one call a frame.
 *
 * Unlike k2-fsa's, hypotheses are compared by their probability and not by its mean over their tokens, which
 * would come to favour longer ones the longer a stream lasts.
 */
export class BeamSearch implements Search<BeamState> {
  readonly #parts: SearchParts;
  readonly #scorer: TokenScorer;
  readonly #activePaths: number;
  readonly #margin: number;
  readonly #maxOpenFrames: number;
  /** Of the frame being scored, before they are normalised. */
  #rawScores = new Float32Array(0);

  constructor(
    parts: SearchParts,
    {
      activePaths = DEFAULT_ACTIVE_PATHS,
      margin = DEFAULT_MARGIN,
      maxOpenFrames = DEFAULT_MAX_OPEN_FRAMES,
    }: BeamOptions = {},
  ) {
    this.#parts = parts;
    this.#scorer = new TokenScorer(parts.joiner.vocabularySize, parts);
    this.#activePaths = activePaths;
    this.#margin = margin;
    this.#maxOpenFrames = maxOpenFrames;
  }

  newState(hotwords?: HotwordGraph): BeamState {
    const nothing = {
      settled: [],
      hypotheses: [{ tail: [], logProbability: 0, said: [] }],
      trailingBlankFrames: 0,
    };
    return this.restore(nothing, hotwords);
  }

  async advance(inputs: readonly SearchInput<BeamState>[]): Promise<void> {
    await this.#walkAll(inputs.map((input) => ({ input, state: input.state })));
  }

  async lookAhead(inputs: readonly SearchInput<BeamState>[]): Promise<EmittedToken[][]> {
    const walks = inputs.map((input) => ({ input, state: input.state.copy() }));
    await this.#walkAll(walks);
    return walks.map(({ input, state }) => [
      ...state.settled.slice(input.state.settled.length),
      ...state.open,
    ]);
  }

  settle(state: BeamState): void {
    // A phrase that was not completed has favoured its hypothesis for nothing.
    if (state.hotwords !== undefined) state.setHotwords(state.hotwords);
    state.settleFirst(state.open.length);
    state.hypotheses = [state.best];
  }

  setHotwords(state: BeamState, hotwords: HotwordGraph | undefined): void {
    state.setHotwords(hotwords);
  }

  save(state: BeamState): SavedSearch {
    return state.save();
  }

  restore(saved: SavedSearch, hotwords?: HotwordGraph): BeamState {
    return new BeamState(saved, { contextSize: this.#parts.predictor.contextSize, hotwords });
  }

  async #walkAll(walks: readonly Walk[]): Promise<void> {
    const frames = Math.max(0, ...walks.map(({ input }) => input.frames));
    for (let frame = 0; frame < frames; frame++) {
      const going = walks.filter(({ input }) => frame < input.frames);
      if (this.#parts.joiner.isBatchable) await this.#advanceOneFrame(going, frame);
      else for (const walk of going) await this.#advanceOneFrame([walk], frame);
    }
  }

  async #advanceOneFrame(walks: readonly Walk[], frame: number): Promise<void> {
    const { joiner, predictor, encoderWidth } = this.#parts;
    const rows = await predictor.rows(
      walks.flatMap(({ state }) => state.hypotheses.map(({ context }) => context)),
    );
    joiner.begin(rows.length);
    let index = 0;
    for (const { input, state } of walks) {
      const offset = input.offset + frame * encoderWidth;
      for (let i = 0; i < state.hypotheses.length; i++) {
        const row = rows[index++];
        if (row !== undefined) joiner.add(input.encoderOutput, offset, row);
      }
    }
    const scores = await joiner.run();
    if (this.#rawScores.length < scores.length) this.#rawScores = new Float32Array(scores.length);
    this.#rawScores.set(scores);
    for (let row = 0; row < scores.length; row += joiner.vocabularySize) this.#scorer.normalise(scores, row);
    let offset = 0;
    for (const { input, state } of walks) {
      const candidates = this.#bestCandidates(state, scores, offset);
      offset += state.hypotheses.length * joiner.vocabularySize;
      this.#goOn(state, candidates, input.firstFrame + frame);
    }
  }

  /** The likeliest next tokens over all hypotheses of a stream, the best one first. */
  #bestCandidates(state: BeamState, scores: Float32Array, offset: number): Candidate[] {
    const { vocabularySize } = this.#parts.joiner;
    const best: Candidate[] = [];
    let least = -Infinity;
    for (const [index, hypothesis] of state.hypotheses.entries()) {
      const row = offset + index * vocabularySize;
      for (let id = 0; id < vocabularySize; id++) {
        const logProbability = hypothesis.logProbability + (scores[row + id] ?? 0);
        if (best.length === this.#activePaths && logProbability <= least) continue;
        let at = best.length;
        while (at > 0 && (best[at - 1]?.logProbability ?? 0) < logProbability) at -= 1;
        best.splice(at, 0, { hypothesis, id, logProbability, row });
        if (best.length > this.#activePaths) best.pop();
        least = best.at(-1)?.logProbability ?? -Infinity;
      }
    }
    return best;
  }

  #goOn(state: BeamState, candidates: readonly Candidate[], frame: number): void {
    const byKey = new Map<string, Hypothesis>();
    for (const candidate of candidates) {
      const next = this.#extended(state, candidate, frame);
      const same = byKey.get(next.key);
      byKey.set(
        next.key,
        same === undefined
          ? next
          : { ...same, logProbability: addLogarithms(same.logProbability, next.logProbability) },
      );
    }
    const sorted = sortedByProbability([...byKey.values()]);
    const best = sorted[0]?.logProbability ?? 0;
    // Only differences matter, so the best one is kept at 0: sums over hours would lose digits.
    state.hypotheses = sorted
      .filter(({ logProbability }) => logProbability >= best - this.#margin)
      .map((hypothesis) => ({ ...hypothesis, logProbability: hypothesis.logProbability - best }));
    state.heardFrames = frame + 1;
    state.settleFirst(settledCount(state, frame - this.#maxOpenFrames));
  }

  #extended(state: BeamState, { hypothesis, id, logProbability, row }: Candidate, frame: number): Hypothesis {
    if (id === BLANK_ID || id === this.#parts.unknownId) return { ...hypothesis, logProbability };
    const { tail, context, place } = hypothesis;
    const step = place && state.hotwords?.step(place, id);
    const token = { id, frame, logProbability: this.#scorer.logProbability(this.#rawScores, row, id) };
    const longer = [...tail, token];
    return {
      tail: longer,
      key: keyOf(longer),
      logProbability: logProbability + (step?.gain ?? 0),
      context: [...context.slice(1), id],
      place: step?.place,
    };
  }
}

/** How many tokens at the front all hypotheses share, or have been open for too long. */
function settledCount(state: BeamState, oldestOpenFrame: number): number {
  const { hypotheses, open } = state;
  let count = open.findIndex((token, at) => hypotheses.some(({ tail }) => tail[at]?.id !== token.id));
  if (count === -1) count = open.length;
  while (count < open.length && (open[count]?.frame ?? oldestOpenFrame) < oldestOpenFrame) count += 1;
  return count;
}
