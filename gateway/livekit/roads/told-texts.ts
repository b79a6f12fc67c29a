import type { SegmentId } from '../../../protocol/index.js';

/** Segments that never end, of speakers whose recognition was torn away, are forgotten above it. */
const MAX_OPEN_SEGMENTS = 2000;

/** What was told last of every open segment, so that nothing is told twice. */
export class ToldTexts {
  readonly #texts = new Map<SegmentId, string>();

  /** Notes `text`; true when a receiver learns something from it. */
  isNews(segment: SegmentId, text: string, isFinal: boolean): boolean {
    const before = this.#texts.get(segment);
    if (isFinal) this.#texts.delete(segment);
    else this.#remember(segment, text);
    return isFinal ? before !== undefined || text !== '' : text !== (before ?? '');
  }

  #remember(segment: SegmentId, text: string): void {
    if (text === '' && !this.#texts.has(segment)) return;
    this.#texts.set(segment, text);
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > MAX_OPEN_SEGMENTS && oldest !== undefined) this.#texts.delete(oldest);
  }
}
