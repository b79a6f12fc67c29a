import type { HotwordGraph, HotwordPlace } from './hotword-graph.js';
import type { EmittedToken, SavedSearch, SearchState } from './search.js';
import { contextAfter } from './token-context.js';

/** One way on from the settled tokens. */
export interface Hypothesis {
  readonly tail: readonly EmittedToken[];
  /** The ids of `tail`: two hypotheses with the same key are one. */
  readonly key: string;
  /** Of the whole, boosts included; only differences between hypotheses of one stream mean something. */
  readonly logProbability: number;
  /** The last tokens, as the predictor wants them. */
  readonly context: readonly number[];
  /** How far a favoured phrase has been said; undefined without such phrases. */
  readonly place: HotwordPlace | undefined;
}

export const keyOf = (tail: readonly EmittedToken[]): string => tail.map(({ id }) => id).join(' ');

/** Adds probabilities given as logarithms. */
export const addLogarithms = (a: number, b: number): number =>
  Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

export const sortedByProbability = (hypotheses: readonly Hypothesis[]): Hypothesis[] =>
  [...hypotheses].sort((a, b) => b.logProbability - a.logProbability);

/** What a beam search knows of one stream: what is settled, and what may follow. */
export class BeamState implements SearchState {
  readonly settled: EmittedToken[];
  /** The best one first; never none. */
  hypotheses: readonly Hypothesis[];
  hotwords: HotwordGraph | undefined;
  /** Frames from the beginning of the stream. */
  heardFrames: number;
  /** The frame of the last settled token, or where counting began. */
  #lastSettledFrame: number;

  /** `hotwords` are the phrases with which the state was saved. */
  constructor(
    { settled, hypotheses, trailingBlankFrames }: SavedSearch,
    { contextSize, hotwords }: { contextSize: number; hotwords: HotwordGraph | undefined },
  ) {
    this.settled = [...settled];
    this.hotwords = hotwords;
    this.hypotheses = hypotheses.map(({ tail, logProbability, said }) => ({
      tail,
      key: keyOf(tail),
      logProbability,
      context: contextAfter([...settled, ...tail], contextSize),
      place: hotwords?.find(said),
    }));
    this.#lastSettledFrame = settled.at(-1)?.frame ?? -1;
    const last = this.open.at(-1)?.frame ?? this.#lastSettledFrame;
    this.heardFrames = last + 1 + trailingBlankFrames;
  }

  get best(): Hypothesis {
    const [best] = this.hypotheses;
    if (best === undefined) throw new Error('a beam without hypotheses');
    return best;
  }

  get open(): readonly EmittedToken[] {
    return this.best.tail;
  }

  get trailingBlankFrames(): number {
    return this.heardFrames - 1 - (this.open.at(-1)?.frame ?? this.#lastSettledFrame);
  }

  /** For going on without changing this one. */
  copy(): BeamState {
    // Contexts and places come with the hypotheses.
    const copy = new BeamState(this.save(), { contextSize: 0, hotwords: this.hotwords });
    copy.hypotheses = this.hypotheses;
    return copy;
  }

  save(): SavedSearch {
    return {
      settled: [...this.settled],
      hypotheses: this.hypotheses.map(({ tail, logProbability, place }) => ({
        tail,
        logProbability,
        said: place?.said ?? [],
      })),
      trailingBlankFrames: this.trailingBlankFrames,
    };
  }

  /** Hypotheses go on with these phrases; what they were given for half of an old one is taken back. */
  setHotwords(hotwords: HotwordGraph | undefined): void {
    const old = this.hotwords;
    this.hypotheses = sortedByProbability(
      this.hypotheses.map((hypothesis) => {
        const { place, logProbability } = hypothesis;
        const loss = old === undefined || place === undefined ? 0 : old.breakOff(place);
        return { ...hypothesis, place: hotwords?.start, logProbability: logProbability + loss };
      }),
    );
    this.hotwords = hotwords;
  }

  /** Moves the first `count` tokens of the best hypothesis to the settled ones; hypotheses that have others are dropped. */
  settleFirst(count: number): void {
    if (count === 0) return;
    const settled = this.best.tail.slice(0, count);
    const key = keyOf(settled);
    const kept = this.hypotheses.filter(({ tail }) => keyOf(tail.slice(0, count)) === key);
    this.settled.push(...settled);
    this.#lastSettledFrame = settled.at(-1)?.frame ?? this.#lastSettledFrame;
    this.hypotheses = kept.map((hypothesis) => {
      const tail = hypothesis.tail.slice(count);
      return { ...hypothesis, tail, key: keyOf(tail) };
    });
  }
}
