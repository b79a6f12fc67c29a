/**
 * How restless captions are to read. Normalised erasure (Arivazhagan et al., IWSLT 2020): words deleted from the end between two
 * versions of a segment until the new version continues the old, over the words of the last version. Words are compared as they are shown: a
 * capital or a full stop that comes or goes is erased and written anew.
 */
import type { CaptionMessage, CaptionState } from '../protocol/index.js';

export interface SegmentErasure {
  readonly segment: string;
  readonly erasedWords: number;
  readonly finalWords: number;
  /** Versions that differ from the one before. */
  readonly updates: number;
}

export class ErasureTracker {
  readonly #segments = new Map<string, { shown: readonly string[]; erasedWords: number; updates: number }>();

  /** Every state that a viewer's reducer comes to. */
  observe(state: CaptionState, message: CaptionMessage): void {
    if (message.kind !== 'delta') return;
    const segment = [...state.finals, ...state.open].find(
      (candidate) => candidate.segment === message.segment,
    );
    if (segment !== undefined)
      this.update(
        segment.segment,
        segment.words.map(({ text }) => text),
      );
  }

  /** The words of a segment as they now stand. */
  update(segment: string, words: readonly string[]): void {
    const before = this.#segments.get(segment) ?? { shown: [], erasedWords: 0, updates: 0 };
    const kept = commonPrefix(before.shown, words);
    if (kept === before.shown.length && kept === words.length) return;
    this.#segments.set(segment, {
      shown: words,
      erasedWords: before.erasedWords + before.shown.length - kept,
      updates: before.updates + 1,
    });
  }

  result(): SegmentErasure[] {
    return [...this.#segments].map(([segment, { shown, erasedWords, updates }]) => ({
      segment,
      erasedWords,
      finalWords: shown.length,
      updates,
    }));
  }
}

function commonPrefix(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
