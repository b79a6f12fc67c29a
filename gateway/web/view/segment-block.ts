import type { SegmentState } from '../../../protocol/index.js';
import { speakerName } from '../wording/wording.js';

const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** One segment on the page: who, what, when. All text comes from outside and enters as `textContent` only. */
export class SegmentBlock {
  readonly element = document.createElement('div');
  readonly #settled = document.createElement('span');
  readonly #unsettled = document.createElement('span');
  readonly #time = document.createElement('time');
  #shown: SegmentState | undefined;

  constructor({ speaker, language }: SegmentState, colourClass: string) {
    this.element.classList.add('segment', colourClass);
    const text = document.createElement('p');
    text.className = 'text';
    text.dir = 'auto';
    if (language !== '') text.lang = language;
    this.#unsettled.className = 'unsettled';
    text.append(this.#settled, ' ', this.#unsettled);
    this.element.append(nameElement(speakerName(speaker)), text, this.#time);
  }

  update(segment: SegmentState): void {
    if (segment === this.#shown) return;
    this.#shown = segment;
    const { words, stable } = segment;
    this.element.hidden = words.length === 0;
    this.#settled.textContent = textOf(words.slice(0, stable));
    this.#unsettled.textContent = textOf(words.slice(stable));
    const startMs = words[0]?.startMs;
    if (startMs === undefined) return;
    const start = new Date(startMs);
    this.#time.dateTime = start.toISOString();
    this.#time.textContent = TIME.format(start);
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

const textOf = (words: SegmentState['words']): string => words.map(({ text }) => text).join(' ');
