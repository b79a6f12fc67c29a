/** The captions page: `/?room=NAME` shows a room, `/` asks for one. `#token=` in the address is an access token. */
import { type CaptionState, roomName } from '../../protocol/index.js';
import { CaptionLink, type LinkState } from './caption-link.js';
import { CaptionList } from './caption-list.js';
import { EndFollower } from './end-follower.js';
import { statusText } from './wording.js';

const room = new URLSearchParams(location.search).get('room') ?? '';
if (room.trim() === '') askForRoom();
else showCaptions(room);
// Somebody put another token into the address.
window.addEventListener('hashchange', () => location.reload());

function askForRoom(): void {
  const form = byId('room-form', HTMLFormElement);
  // The browser puts the room in; what follows the # stays.
  form.action = `/${location.hash}`;
  form.hidden = false;
  byId('room', HTMLInputElement).focus();
}

function showCaptions(name: string): void {
  byId('title', HTMLElement).textContent = name;
  document.title = `${name} – live captions`;
  const list = new CaptionList({ settled: byId('settled', HTMLElement), open: byId('open', HTMLElement) });
  const follower = new EndFollower(byId('jump', HTMLButtonElement));
  let link: LinkState = { kind: 'connecting' };
  let captions: CaptionState | undefined;

  const connection = new CaptionLink({
    room: roomName(name),
    token: new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined,
    linkChanged: (changed) => {
      link = changed;
      showStatus(link, captions);
    },
    changed: (state) => {
      captions = state;
      showStatus(link, captions);
      list.show(state);
      byId('hint', HTMLElement).hidden = !list.isEmpty;
      byId('captions', HTMLElement).hidden = false;
      follower.contentChanged();
    },
  });
  window.addEventListener('online', () => connection.retryNow());
  follower.start();
  connection.start();
}

function showStatus(link: LinkState, captions: CaptionState | undefined): void {
  const status = byId('status', HTMLElement);
  const { text, tone } = statusText(link, captions);
  // Setting the same text again would make screen readers say it again.
  if (status.textContent !== text) status.textContent = text;
  status.className = tone;
}

function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`index.html has no ${type.name} #${id}`);
}
