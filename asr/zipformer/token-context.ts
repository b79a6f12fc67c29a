import type { EmittedToken } from './search.js';
import { BLANK_ID } from './token-scorer.js';

/** What the predictor wants before the first token. */
export const initialContext = (contextSize: number): readonly number[] => [
  ...Array<number>(Math.max(0, contextSize - 1)).fill(-1),
  BLANK_ID,
];

/** What the predictor wants after these tokens. */
export const contextAfter = (tokens: readonly EmittedToken[], contextSize: number): readonly number[] =>
  contextSize === 0
    ? []
    : [...initialContext(contextSize), ...tokens.slice(-contextSize).map(({ id }) => id)].slice(-contextSize);
