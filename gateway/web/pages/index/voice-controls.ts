import { participantIdentity, type RoomName } from '../../../../protocol/index.js';
import { OwnVoice, type OwnVoiceState } from '../../microphone/own-voice.js';
import { byId, ownBase } from '../page-elements.js';
import type { TokenOwner } from '../token-owner.js';
import type { IndexWording } from './index-wording.js';

const NAME_KEY = 'live-captions-name';
const IDENTITY_KEY = 'live-captions-identity';
/** A microphone that is on gives at least its noise. */
const SILENCE_PEAK = 0.001;
const SILENCE_AFTER_MS = 4000;

export interface VoiceControlsOptions {
  readonly room: RoomName;
  /** Access token; undefined for none. */
  readonly token: () => string | undefined;
  /** Whose token it is: the gateway lets nobody speak in another one's name. */
  readonly owner: TokenOwner | undefined;
  readonly wording: () => IndexWording;
}

/** The button that captions one's own voice, with name, meter and what is wrong. */
export class VoiceControls {
  readonly #options: VoiceControlsOptions;
  readonly #voice: OwnVoice;
  readonly #name = byId('own-name', HTMLInputElement);
  readonly #button = byId('microphone', HTMLButtonElement);
  readonly #level = byId('level', HTMLMeterElement);
  readonly #status = byId('voice-status', HTMLElement);
  #heardAtMs = 0;
  #isSilent = false;

  constructor(options: VoiceControlsOptions) {
    this.#options = options;
    this.#voice = new OwnVoice({
      gateway: ownBase(),
      room: options.room,
      token: options.token,
      changed: () => this.show(),
      level: (peak) => this.#showLevel(peak),
    });
    this.#name.value = options.owner?.name ?? read(localStorage, NAME_KEY);
    byId('name-field', HTMLElement).hidden = options.owner !== undefined;
    byId('voice', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void (this.#voice.isOn ? this.#voice.stop() : this.start());
    });
    // Who closes the page has said what they wanted to say.
    window.addEventListener('pagehide', () => void this.#voice.stop());
  }

  /** In answer to a click. */
  start(): Promise<void> {
    const { owner, wording } = this.#options;
    this.#heardAtMs = performance.now();
    this.#isSilent = false;
    if (owner !== undefined) {
      const { identity, name } = owner;
      return this.#voice.start({ identity: participantIdentity(identity), name });
    }
    const name = this.#name.value.trim();
    write(localStorage, NAME_KEY, name);
    return this.#voice.start({ identity: ownIdentity(), name: name === '' ? wording().guest : name });
  }

  tokenChanged(): void {
    this.#voice.tokenChanged();
  }

  /** Again, as after the language changed. */
  show(): void {
    const wording = this.#options.wording();
    const { state, isOn } = this.#voice;
    this.#button.textContent = isOn ? wording.stopCaptioningMe : wording.captionMe;
    this.#button.setAttribute('aria-pressed', String(isOn));
    this.#button.disabled = state.kind === 'stopping';
    this.#name.readOnly = isOn;
    this.#level.hidden = !isOn;
    this.#level.setAttribute('aria-label', wording.loudness);
    const text = this.#isSilent && state.kind === 'on' ? wording.silent : textOf(state, wording);
    if (this.#status.textContent !== text) this.#status.textContent = text;
    this.#status.className = toneOf(state, this.#isSilent);
  }

  #showLevel(peak: number): void {
    // As ears have it: half as loud is a good bit less, not next to nothing.
    this.#level.value = Math.sqrt(peak);
    const nowMs = performance.now();
    if (peak > SILENCE_PEAK) this.#heardAtMs = nowMs;
    const isSilent = nowMs - this.#heardAtMs > SILENCE_AFTER_MS;
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.show();
  }
}

function textOf(state: OwnVoiceState, wording: IndexWording): string {
  switch (state.kind) {
    case 'off':
      return '';
    case 'starting':
    case 'on':
    case 'interrupted':
    case 'waiting':
    case 'stopping':
      return wording[state.kind];
    case 'no_microphone':
      return wording.failures[state.failure];
    case 'not_taken':
      return wording.notTaken(state.reason);
  }
}

function toneOf({ kind }: OwnVoiceState, isSilent: boolean): string {
  switch (kind) {
    case 'on':
      return isSilent ? 'warning' : 'good';
    case 'waiting':
    case 'interrupted':
      return 'warning';
    case 'no_microphone':
    case 'not_taken':
      return 'bad';
    case 'off':
    case 'starting':
    case 'stopping':
      return '';
  }
}

/** The same speaker as long as the tab is open, and nobody else. */
function ownIdentity(): ReturnType<typeof participantIdentity> {
  const known = read(sessionStorage, IDENTITY_KEY);
  const identity = known === '' ? `web-${crypto.randomUUID()}` : known;
  write(sessionStorage, IDENTITY_KEY, identity);
  return participantIdentity(identity);
}

/** Browsers may forbid storage: then nothing is kept. */
function read(storage: Storage, key: string): string {
  try {
    return storage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(storage: Storage, key: string, value: string): void {
  try {
    storage.setItem(key, value);
  } catch {
    // As above.
  }
}
