/**
 * The page at `/`: `?room=NAME` shows a room, without it one is picked, typed, or opened with one's own microphone. `#token=` in
 * the address is an access token. The component's settings stand in the address too: `?layout=overlay` shows nothing but
 * captions, on a transparent page.
 */
import { roomName } from '../../../../protocol/index.js';
import { LiveCaptions } from '../../live-captions.js';
import { byId, ownBase, showTexts } from '../page-elements.js';
import { PageToken } from '../page-token.js';
import { indexWording, type IndexWording } from './index-wording.js';
import { RoomPicker } from './room-picker.js';
import { TranscriptDownload } from './transcript-download.js';
import { VoiceControls } from './voice-controls.js';

const query = new URLSearchParams(location.search);
const token = new PageToken();
const { owner } = token;
let { tag, wording } = indexWording([query.get('lang') ?? '', ...navigator.languages]);

const room = query.get('room') ?? '';
let shownRoom = room;
// Somebody went back to another room.
window.addEventListener('popstate', () => {
  if ((new URLSearchParams(location.search).get('room') ?? '') !== shownRoom) location.reload();
});
if (room.trim() === '') pickRoom();
else showRoom(room);

function pickRoom(): void {
  showWording();
  const picker = new RoomPicker({ token: token.value, tag, wording });
  const form = byId('room-form', HTMLFormElement);
  // The browser puts the room in; what follows the # stays.
  form.action = `./${location.hash}`;
  const field = byId('room', HTMLInputElement);
  field.value = owner?.room ?? '';
  byId('picker', HTMLElement).hidden = false;
  field.focus();
  picker.open();
  const isOpenToAll = token.value === undefined;
  byId('try', HTMLElement).hidden = !isOpenToAll;
  byId('try-it', HTMLButtonElement).addEventListener('click', () => {
    picker.close();
    byId('picker', HTMLElement).hidden = true;
    const name = `try-${crypto.randomUUID().slice(0, 8)}`;
    history.pushState(null, '', `./?room=${name}`);
    shownRoom = name;
    // In answer to this very click: browsers start no sound without one.
    void showRoom(name).start();
  });
}

function showRoom(name: string): VoiceControls {
  const captions = new LiveCaptions();
  captions.room = name;
  captions.gateway = ownBase();
  captions.token = token.value ?? '';
  captions.settingsInAddress = true;
  const common = { room: roomName(name), token: () => token.value, wording: (): IndexWording => wording };
  const voice = new VoiceControls({ ...common, owner });
  const download = new TranscriptDownload({ ...common, language: () => tag });
  token.renewed = (newer) => {
    captions.token = newer;
    voice.tokenChanged();
  };
  const settingsChanged = (): void => {
    const { lang, layout } = captions.settings;
    ({ tag, wording } = indexWording(lang === 'auto' ? navigator.languages : [lang]));
    showWording(name);
    voice.show();
    download.show();
    document.documentElement.classList.toggle('overlay', layout === 'overlay');
  };
  captions.addEventListener('settings-changed', settingsChanged);
  const link = byId('other-room', HTMLAnchorElement);
  link.href = `./${location.hash}`;
  link.hidden = false;
  byId('tools', HTMLElement).hidden = false;
  byId('main', HTMLElement).append(captions);
  settingsChanged();
  return voice;
}

function showWording(name?: string): void {
  document.documentElement.lang = tag;
  byId('title', HTMLElement).textContent = name ?? wording.title;
  document.title = name === undefined ? wording.title : wording.titleOf(name);
  showTexts(wording);
  byId('voice', HTMLElement).setAttribute('aria-label', wording.ownVoice);
}
