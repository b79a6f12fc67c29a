import { wordErrorRate } from './alignment.js';
import { normaliseWords } from './words.js';

/** How far apart two recognisers' texts of the same clips lie. */
export interface TextAgreement {
  readonly clips: number;
  readonly clipsThatDiffer: number;
  /** Word error rates, 0 to 1: each measured against the other as if that were what was said; null where the other said nothing. */
  readonly firstAgainstSecond: number | null;
  readonly secondAgainstFirst: number | null;
}

/** `first` and `second`: one text for each clip, in the same order. Case and punctuation do not count. */
export function textAgreement(first: readonly string[], second: readonly string[]): TextAgreement {
  const [ours, theirs] = [first.map(normaliseWords), second.map(normaliseWords)];
  return {
    clips: ours.length,
    clipsThatDiffer: ours.filter((words, clip) => words.join(' ') !== (theirs[clip] ?? []).join(' ')).length,
    firstAgainstSecond: wordErrorRate(theirs.flat(), ours.flat()).rate,
    secondAgainstFirst: wordErrorRate(ours.flat(), theirs.flat()).rate,
  };
}
