import type { SegmentState } from '../../../protocol/index.js';

/** What a reader wants to see of words that may still change. */
export interface WordRules {
  /** False: settled words only. */
  readonly showsPartial: boolean;
  /** A word that may still change shows when it has been the same for so long; 0 for at once. */
  readonly delayMs: number;
  readonly mask: (word: string, language: string) => string;
}

export interface ShownWords {
  readonly texts: readonly string[];
  /** How many leading ones will not change again. */
  readonly settledCount: number;
  /** When more is to be shown although nothing arrives; undefined for never. In the time of `nowMs`. */
  readonly nextAtMs: number | undefined;
}

/** Which words of one segment show, version after version. */
export class SegmentReading {
  #seen: { readonly text: string; readonly sinceMs: number }[] = [];

  /** `nowMs`: any clock that never goes back. */
  shown(segment: SegmentState, rules: WordRules, nowMs: number): ShownWords {
    const { words, stable, isFinal, language } = segment;
    this.#notice(words, nowMs);
    const settledCount = isFinal ? words.length : stable;
    let count = settledCount;
    let nextAtMs: number | undefined;
    while (rules.showsPartial && count < words.length) {
      const showsAtMs = (this.#seen[count]?.sinceMs ?? nowMs) + rules.delayMs;
      if (showsAtMs > nowMs) {
        nextAtMs = showsAtMs;
        break;
      }
      count += 1;
    }
    const texts = words.slice(0, count).map(({ text }) => rules.mask(text, language));
    return { texts, settledCount, nextAtMs };
  }

  #notice(words: SegmentState['words'], nowMs: number): void {
    this.#seen = words.map(({ text }, index) => {
      const known = this.#seen[index];
      return known?.text === text ? known : { text, sinceMs: nowMs };
    });
  }
}
