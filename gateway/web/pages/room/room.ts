/** The room page: `/room#url=…&token=…` joins a LiveKit room as a viewer, `/room` asks for what is needed. */
import { type CaptionState, participantIdentity } from '../../../../protocol/index.js';
import type { LinkState } from '../../sources/caption-source.js';
import { CaptionList } from '../../view/caption-list.js';
import { EndFollower } from '../../view/end-follower.js';
import { nameElement } from '../../view/segment-block.js';
import { SpeakerColours } from '../../view/speaker-colours.js';
import { type StatusText, statusText } from '../../wording/wording.js';
import { followEndOf } from './end-box.js';
import { RoadList } from './road-list.js';
import { joinRoom, type Person, type RoomLink } from './room-link.js';
import type { RoomSound } from './room-sound.js';

const fragment = new URLSearchParams(location.hash.slice(1));
const url = fragment.get('url') ?? '';
const token = fragment.get('token') ?? '';
if (url === '' && token === '') askForWhatIsNeeded();
else if (!/^(?:wss?|https?):\/\/./.test(url) || !URL.canParse(url)) {
  askForWhatIsNeeded('The link has no address of a LiveKit server (#url=…).');
} else if (token.trim() === '') askForWhatIsNeeded('The link has no access token (#token=…).');
else void showRoom();
// Somebody put another room into the address.
window.addEventListener('hashchange', () => location.reload());

function askForWhatIsNeeded(problem = ''): void {
  showStatus({ text: problem, tone: problem === '' ? 'neutral' : 'bad' });
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
  const colours = new SpeakerColours();
  const list = new CaptionList(
    { settled: byId('settled', HTMLElement), open: byId('open', HTMLElement) },
    colours,
  );
  const streams = new RoadList(byId('streams', HTMLElement), colours);
  const legacy = new RoadList(byId('legacy', HTMLElement), colours);
  const follower = new EndFollower(byId('jump', HTMLButtonElement));
  let link: LinkState = { kind: 'connecting' };
  let captions: CaptionState | undefined;
  const room = await joinRoom({
    url,
    token,
    linkChanged: (changed) => {
      link = changed;
      showStatus(roomStatus(link, captions));
    },
    joined: (name) => {
      byId('title', HTMLElement).textContent = name;
      document.title = `${name} – live captions`;
      byId('in-room', HTMLElement).hidden = false;
      follower.start();
    },
    captionsChanged: (state) => {
      captions = state;
      showStatus(roomStatus(link, captions));
      list.show(state);
      byId('hint', HTMLElement).hidden = !list.isEmpty;
      follower.contentChanged();
    },
    peopleChanged: (people) => showPeople(people, colours),
    textStreamed: (text) => streams.show(text),
    transcribed: (text) => legacy.show(text),
  });
  if (room !== undefined) enableControls(room);
}

function enableControls({ sound }: RoomLink): void {
  const listen = byId('listen', HTMLButtonElement);
  listen.addEventListener('click', () => void toggleSound(listen, sound));
  const compare = byId('compare', HTMLInputElement);
  const boxes = ['captions-road', 'streams-road', 'legacy-road'].map((id) => byId(id, HTMLElement));
  boxes.forEach(followEndOf);
  compare.addEventListener('change', () => {
    document.body.classList.toggle('comparing', compare.checked);
    for (const box of boxes) {
      if (box.id !== 'captions-road') box.hidden = !compare.checked;
      // Boxes that scroll must be reachable with the keyboard.
      if (compare.checked) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
  });
  const aloud = byId('aloud', HTMLInputElement);
  aloud.addEventListener('change', () => {
    byId('settled', HTMLElement).setAttribute('aria-live', aloud.checked ? 'polite' : 'off');
  });
}

async function toggleSound(button: HTMLButtonElement, sound: RoomSound): Promise<void> {
  const isOn = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(isOn));
  button.textContent = isOn ? 'Listening' : 'Listen';
  if (!isOn) {
    sound.stop();
    return;
  }
  try {
    await sound.start();
  } catch {
    button.setAttribute('aria-pressed', 'false');
    button.textContent = 'Listen (this browser plays no sound)';
  }
}

function showPeople(people: readonly Person[], colours: SpeakerColours): void {
  const items = people.map(({ identity, name, isTalking, isMuted }) => {
    const item = document.createElement('li');
    item.classList.add('person');
    if (isMuted !== undefined)
      item.classList.add(colours.classOf({ identity: participantIdentity(identity) }));
    if (isTalking) item.classList.add('talking');
    item.append(nameElement(name), isMuted === true ? ' muted' : '');
    return item;
  });
  byId('people', HTMLElement).replaceChildren(...items);
}

/** As on the captions page, but that nobody may caption a room of LiveKit yet. */
function roomStatus(link: LinkState, captions: CaptionState | undefined): StatusText {
  if (link.kind === 'connected' && captions === undefined) {
    return { text: 'In the room. Nobody captions it yet.', tone: 'neutral' };
  }
  return statusText(link, captions);
}

function showStatus({ text, tone }: StatusText): void {
  const status = byId('status', HTMLElement);
  // Setting the same text again would make screen readers say it again.
  if (status.textContent !== text) status.textContent = text;
  status.className = tone;
}

function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`room.html has no ${type.name} #${id}`);
}
