import type { SegmentState } from '../../../protocol/index.js';
import { speakerName } from '../wording/wording.js';

const RTL_SCRIPTS = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** The first letter decides, as with `dir="auto"`, but for all lines of a segment alike. */
export const directionOf = ({ words }: Pick<SegmentState, 'words'>): 'ltr' | 'rtl' => {
  for (const { text } of words) {
    const letter = /\p{L}/u.exec(text)?.[0];
    if (letter !== undefined) return RTL_SCRIPTS.test(letter) ? 'rtl' : 'ltr';
  }
  return 'ltr';
};

export interface BlockOptions {
  readonly segment: SegmentState;
  readonly direction: 'ltr' | 'rtl';
  readonly colourClass: string;
  /** False where the same person goes on. */
  readonly isNamed: boolean;
  /** Undefined where a segment goes on below what others said. */
  readonly time: Intl.DateTimeFormat | undefined;
}

/** Lines of one segment that stand together: who, when, what. All text comes from outside and enters as text only. */
export class CaptionBlock {
  readonly element = document.createElement('div');
  readonly text = document.createElement('p');
  readonly name: HTMLElement | undefined;

  constructor({ segment, direction, colourClass, isNamed, time }: BlockOptions) {
    const { element, text } = this;
    element.className = `block ${colourClass}`;
    element.dataset['segment'] = segment.segment;
    text.className = 'text';
    element.dir = direction;
    // Empty for an unknown one: it is not that of the interface.
    text.lang = segment.language;
    if (isNamed) {
      this.name = nameElement(speakerName(segment.speaker));
      element.append(this.name);
    } else element.classList.add('goes-on');
    element.append(text);
    const startMs = segment.words[0]?.startMs;
    if (time === undefined || startMs === undefined) return;
    const start = new Date(startMs);
    const stamp = document.createElement('time');
    stamp.dateTime = start.toISOString();
    stamp.textContent = time.format(start);
    element.append(stamp);
  }

  /** Screen readers are given what will not change any more. */
  set isOpen(isOpen: boolean) {
    if (isOpen) this.element.setAttribute('aria-hidden', 'true');
    else this.element.removeAttribute('aria-hidden');
    this.element.classList.toggle('open', isOpen);
  }
}

/** A name in an element that keeps its writing direction, and overrides of it, to itself. */
export function nameElement(name: string): HTMLElement {
  const element = document.createElement('bdi');
  element.className = 'name';
  element.textContent = name;
  // Long names are cut off for the eye.
  element.title = name;
  return element;
}
