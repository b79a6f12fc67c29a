import { type CaptionState, roomName, segmentsOf } from '../../../../protocol/index.js';
import { WebSocketSource } from '../../sources/websocket-source.js';
import { speakerName } from '../../wording/wording.js';

const SHOWN_SEGMENTS = 12;

/** The last captions of the room as viewers are sent them, in a list, for as long as the page is there. */
export function showViewersView(
  list: HTMLElement,
  options: { room: string; token: string | undefined; nothing: string },
): void {
  const { room, token, nothing } = options;
  const show = (state: CaptionState): void => {
    const segments = segmentsOf(state).filter(({ words }) => words.length > 0);
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.replaceChildren(...segments.slice(-SHOWN_SEGMENTS).map(itemOf));
    if (segments.length === 0) list.append(element('li', nothing));
    if (isAtEnd) list.scrollTop = list.scrollHeight;
  };
  list.replaceChildren(element('li', nothing));
  new WebSocketSource({ gateway: location.href, room: roomName(room), token }).start({
    changed: show,
    linkChanged: () => undefined,
  });
}

function itemOf({ speaker, words, isFinal }: CaptionState['open'][number]): HTMLElement {
  const item = document.createElement('li');
  const text = element('span', words.map((word) => word.text).join(' '));
  text.dir = 'auto';
  if (!isFinal) text.className = 'open';
  item.append(element('b', `${speakerName(speaker)}:`), ' ', text);
  return item;
}

function element(tag: 'li' | 'b' | 'span', text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
