import { nameElement } from './name-element.js';
import { RecentElements } from './recent-elements.js';
import type { RoadText } from './room-link.js';

/** Texts that stay on the page. */
const MAX_TEXTS = 200;

/** What came on one of LiveKit's own roads, as it came: nothing is put together here. */
export class RoadList {
  readonly #region: HTMLElement;
  readonly #texts = new Map<string, HTMLElement>();
  readonly #recent = new RecentElements(MAX_TEXTS);

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  show({ segment: id, identity, name, text, isFinal }: RoadText): void {
    // Nobody changes what stands under another's name.
    const segment = JSON.stringify([identity, id]);
    const element = this.#texts.get(segment) ?? this.#add({ segment, name });
    const line = element.querySelector('span');
    if (line === null) return;
    // A text that was taken back arrives as a blank one.
    element.hidden = text.trim() === '';
    line.textContent = text;
    line.className = isFinal ? '' : 'unsettled';
  }

  #add({ segment, name }: Pick<RoadText, 'segment' | 'name'>): HTMLElement {
    const element = document.createElement('div');
    element.className = 'segment';
    const text = document.createElement('p');
    text.className = 'text';
    text.dir = 'auto';
    text.append(document.createElement('span'));
    element.append(nameElement(name), text);
    this.#region.append(element);
    this.#texts.set(segment, element);
    this.#recent.add(segment, element);
    for (const [oldest, { isConnected }] of this.#texts) {
      if (isConnected) break;
      this.#texts.delete(oldest);
    }
    return element;
  }
}
