/** The room page: `/room#url=…&token=…` joins a LiveKit room as a viewer, `/room` asks for what is needed. */
import { LiveCaptions } from '../../live-captions.js';
import { byId, showTexts } from '../page-elements.js';
import { followEndOf } from './end-box.js';
import { RoadList } from './road-list.js';
import { nameElement } from './name-element.js';
import { joinRoom, type Person, type RoomLink } from './room-link.js';
import { RoomSource } from './room-source.js';
import type { RoomSound } from './room-sound.js';
import { roomWording } from './room-wording.js';

const fragment = new URLSearchParams(location.hash.slice(1));
const url = fragment.get('url') ?? '';
const token = fragment.get('token') ?? '';
const asked = new URLSearchParams(location.search).get('lang') ?? '';
/** Undefined until the page is in it. */
let joinedRoom: string | undefined;
let { tag, wording } = roomWording([asked, ...navigator.languages]);
showWording();
if (url === '' && token === '') askForWhatIsNeeded();
else if (!/^(?:wss?|https?):\/\/./.test(url) || !URL.canParse(url)) {
  askForWhatIsNeeded(wording.noAddress);
} else if (token.trim() === '') askForWhatIsNeeded(wording.noToken);
else void showRoom();
// Somebody put another room into the address.
window.addEventListener('hashchange', () => location.reload());

/** In the language that the reader wants now. */
function showWording(): void {
  document.documentElement.lang = tag;
  showTexts(wording);
  byId('controls', HTMLElement).setAttribute('aria-label', wording.controls);
  const listen = byId('listen', HTMLButtonElement);
  listen.textContent = listen.getAttribute('aria-pressed') === 'true' ? wording.listening : wording.listen;
  byId('title', HTMLElement).textContent = joinedRoom ?? wording.title;
  document.title = wording.titleOf(joinedRoom ?? wording.title);
}

function askForWhatIsNeeded(problem = ''): void {
  byId('problem', HTMLElement).textContent = problem;
  const form = byId('needed', HTMLFormElement);
  const address = byId('url', HTMLInputElement);
  const secret = byId('token', HTMLInputElement);
  address.value = url;
  secret.value = token;
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    location.hash = new URLSearchParams({ url: address.value.trim(), token: secret.value.trim() }).toString();
  });
  (address.value === '' ? address : secret).focus();
}

async function showRoom(): Promise<void> {
  const streams = new RoadList(byId('streams', HTMLElement));
  const legacy = new RoadList(byId('legacy', HTMLElement));
  let people: readonly Person[] = [];
  let talking: ReadonlySet<string> = new Set();
  const source = new RoomSource((identities) => {
    talking = identities;
    showPeople(people, talking);
  });
  const captions = new LiveCaptions();
  captions.source = source;
  captions.settingsInAddress = true;
  captions.addEventListener('settings-changed', () => {
    const { lang } = captions.settings;
    ({ tag, wording } = roomWording(lang === 'auto' ? navigator.languages : [lang]));
    showWording();
    showPeople(people, talking);
  });
  byId('captions-road', HTMLElement).append(captions);
  byId('in-room', HTMLElement).hidden = false;
  const room = await joinRoom({
    url,
    token,
    wording: () => wording,
    captions: source,
    joined: (name) => {
      joinedRoom = name;
      showWording();
      for (const id of ['people-title', 'people', 'controls']) byId(id, HTMLElement).hidden = false;
    },
    peopleChanged: (present) => {
      people = present;
      showPeople(people, talking);
    },
    textStreamed: (text) => streams.show(text),
    transcribed: (text) => legacy.show(text),
  });
  if (room !== undefined) enableControls(room);
}

function enableControls({ sound }: RoomLink): void {
  const listen = byId('listen', HTMLButtonElement);
  listen.addEventListener('click', () => void toggleSound(listen, sound));
  const compare = byId('compare', HTMLInputElement);
  const boxes = ['streams-road', 'legacy-road'].map((id) => byId(id, HTMLElement));
  boxes.forEach(followEndOf);
  compare.addEventListener('change', () => {
    document.body.classList.toggle('comparing', compare.checked);
    for (const box of boxes) {
      box.hidden = !compare.checked;
      // Boxes that scroll must be reachable with the keyboard.
      if (compare.checked) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
  });
}

async function toggleSound(button: HTMLButtonElement, sound: RoomSound): Promise<void> {
  const isOn = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(isOn));
  button.textContent = isOn ? wording.listening : wording.listen;
  if (!isOn) {
    sound.stop();
    return;
  }
  try {
    await sound.start();
  } catch {
    button.setAttribute('aria-pressed', 'false');
    button.textContent = wording.noSound;
  }
}

/** Not every publisher tells LiveKit how loud it is: whoever is being captioned talks. */
function showPeople(people: readonly Person[], talking: ReadonlySet<string>): void {
  const items = people.map(({ identity, name, isTalking, isMuted }) => {
    const item = document.createElement('li');
    item.classList.add('person');
    if (isTalking || talking.has(identity)) item.classList.add('talking');
    item.append(nameElement(name), isMuted === true ? ` ${wording.muted}` : '');
    return item;
  });
  byId('people', HTMLElement).replaceChildren(...items);
}
