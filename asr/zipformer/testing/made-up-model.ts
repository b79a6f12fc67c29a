/** A transducer whose scores are plain sums, for tests of searches: encoder frame + row of the context. */
import type { SearchParts } from '../greedy-search.js';

export const MADE_UP_VOCABULARY = 6;

export interface MadeUpModel {
  readonly parts: SearchParts;
  /** Rows in each call of the joiner so far. */
  readonly calls: readonly number[];
}

/** `rowOf` gives what is added to an encoder frame's scores after a context of two tokens. */
export function madeUpModel(
  rowOf: (context: readonly number[]) => Float32Array,
  { isBatchable = true, ...options }: Partial<SearchParts> & { isBatchable?: boolean } = {},
): MadeUpModel {
  const calls: number[] = [];
  let rows: Float32Array[] = [];
  return {
    calls,
    parts: {
      encoderWidth: MADE_UP_VOCABULARY,
      unknownId: 1,
      predictor: { contextSize: 2, rows: (contexts) => Promise.resolve(contexts.map(rowOf)) },
      joiner: {
        vocabularySize: MADE_UP_VOCABULARY,
        isBatchable,
        begin: () => {
          rows = [];
        },
        add: (frames, offset, row) => {
          rows.push(row.map((value, id) => value + (frames[offset + id] ?? 0)));
        },
        run: () => {
          calls.push(rows.length);
          return Promise.resolve(Float32Array.from(rows.flatMap((row) => Array.from(row))));
        },
      },
      ...options,
    },
  };
}

/** Numbers that depend on nothing but the context and `seed`. */
export const hashedRow =
  (seed: number) =>
  (context: readonly number[]): Float32Array =>
    Float32Array.from({ length: MADE_UP_VOCABULARY }, (_, id) => {
      const mixed =
        Math.sin(seed + 12.9898 * (context[0] ?? 0) + 78.233 * (context[1] ?? 0) + 37.719 * id) * 43758.5453;
      return 2 * (mixed - Math.floor(mixed));
    });
