import type { CaptionState } from '../../../protocol/index.js';
import { speakerName } from '../wording/wording.js';

/** Read out when they came; afterwards they are in the transcript. */
const MAX_KEPT = 5;

/**
 * Tells screen readers and braille lines whole sentences: every segment once, when it is settled. Its region is seen by nobody
 * and apart from what is shown, so that layouts and settings do not bear on it.
 */
export class Announcer {
  readonly #region: HTMLElement;
  #told: ReadonlySet<string> | undefined;
  #shown: CaptionState['finals'] | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** What was settled before the first state is not read out. `text` is what shows of a segment. */
  show({ finals }: CaptionState, text: (segment: CaptionState['finals'][number]) => string): void {
    if (finals === this.#shown) return;
    this.#shown = finals;
    const told = this.#told;
    this.#told = new Set(finals.map(({ segment }) => segment));
    if (told === undefined) return;
    for (const final of finals) {
      if (told.has(final.segment) || final.words.length === 0) continue;
      const line = document.createElement('p');
      line.lang = final.language;
      line.dir = 'auto';
      line.textContent = `${speakerName(final.speaker)}: ${text(final)}`;
      this.#region.append(line);
      if (this.#region.childElementCount > MAX_KEPT) this.#region.firstElementChild?.remove();
    }
  }
}
