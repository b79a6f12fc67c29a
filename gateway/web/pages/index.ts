/** The captions page: `/?room=NAME` shows a room, `/` asks for one. `#token=` in the address is an access token. */
import { LiveCaptions } from '../live-captions.js';

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
  const captions = new LiveCaptions();
  captions.room = name;
  captions.token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  byId('main', HTMLElement).append(captions);
}

function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`index.html has no ${type.name} #${id}`);
}
