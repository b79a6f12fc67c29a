import type { CaptionState } from '../../../protocol/index.js';
import type { LinkState } from '../sources/caption-source.js';
import { statusText, type Wording } from '../wording/wording.js';

export interface ShownStatus {
  readonly link: LinkState;
  /** Undefined while nothing is known. */
  readonly captions: CaptionState | undefined;
  /** Seconds that captions are behind; 0 for on time. */
  readonly behindS: number;
  readonly wording: Wording;
}

/** How captions are doing, in words, in a region that screen readers read out. */
export class StatusLine {
  readonly #element: HTMLElement;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  show({ link, captions, behindS, wording }: ShownStatus): void {
    const { text, tone } = statusText(link, captions && { ...captions, behindS }, wording);
    const { textContent, className } = this.#element;
    // Setting the same text again would make screen readers say it again.
    if (textContent !== text) this.#element.textContent = text;
    if (className !== tone) this.#element.className = tone;
  }
}
