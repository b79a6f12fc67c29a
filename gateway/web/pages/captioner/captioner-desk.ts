import {
  type CaptionerClientMessage,
  type CaptionerServerMessage,
  type CaptionerSpeaker,
  participantIdentity,
  type ParticipantIdentity,
  type ReplacedSpeakers,
  shownName,
} from '../../../../protocol/index.js';
import { LiveCaptions } from '../../live-captions.js';
import { CaptionerLink, type CaptionerLinkState } from './captioner-link.js';
import type { CaptionerWording } from './captioner-wording.js';
import { LineList } from './line-list.js';
import { byId } from '../page-elements.js';
import type { PageToken } from '../page-token.js';
import { lineEnd, WrittenLines } from './written-lines.js';

/** Viewers see what is written at this interval at most. */
const SEND_INTERVAL_MS = 120;
/** Who stops for so long has finished the line. */
const AUTO_COMMIT_PAUSE_MS = 6000;

export interface CaptionerDeskOptions {
  readonly wording: CaptionerWording;
  readonly gateway: string;
  readonly room: string;
  readonly token: PageToken;
  readonly captioner: { readonly identity: ParticipantIdentity; readonly name: string };
  /** Empty for the room's. */
  readonly language: string;
  readonly replacesEverybody: boolean;
}

/** Where captions are written: wires the page to the connection. */
export class CaptionerDesk {
  readonly #options: CaptionerDeskOptions;
  readonly #written = new WrittenLines();
  readonly #link: CaptionerLink;
  readonly #list: LineList;
  readonly #write = byId('write', HTMLTextAreaElement);
  readonly #as = byId('as', HTMLSelectElement);
  readonly #everybody = byId('everybody', HTMLInputElement);
  readonly #auto = byId('auto', HTMLInputElement);
  #speakers: readonly CaptionerSpeaker[] = [];
  #chosen = new Set<ParticipantIdentity>();
  #sendTimer: ReturnType<typeof setTimeout> | undefined;
  #pauseTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CaptionerDeskOptions) {
    this.#options = options;
    const { gateway, room, token, captioner, language, wording } = options;
    this.#everybody.checked = options.replacesEverybody;
    this.#link = new CaptionerLink({
      gateway,
      room,
      token: () => token.value,
      hello: () => ({
        captioner,
        ...(language === '' ? {} : { language }),
        replaces: this.#replaces,
        correctableLines: 3,
        settleAfterMs: 20_000,
      }),
      received: (message) => this.#received(message),
      changed: (state) => this.#linkChanged(state),
    });
    this.#list = new LineList({
      list: byId('lines', HTMLElement),
      lineWord: wording.line,
      nameOf: (as) => this.#nameOf(as),
      corrected: (line, text) => {
        this.#send(this.#written.correct(line, text));
        this.#showLines();
      },
      back: () => this.#write.focus(),
    });
  }

  open(): void {
    const { gateway, room, token, wording } = this.#options;
    document.title = `${room} – ${wording.title}`;
    byId('title', HTMLElement).textContent = `${wording.title}: ${room}`;
    byId('desk', HTMLElement).hidden = false;
    const view = new LiveCaptions();
    view.gateway = gateway;
    view.room = room;
    view.token = token.value ?? '';
    token.renewed = (newer) => {
      view.token = newer;
      this.#link.tokenChanged();
    };
    // The language of the page is in the address.
    view.settingsInAddress = true;
    byId('view', HTMLElement).append(view);
    this.#showSpeakers();
    this.#showLines();
    this.#write.addEventListener('input', () => this.#typed());
    this.#write.addEventListener('keydown', (event) => this.#keyPressed(event));
    byId('commit', HTMLElement).addEventListener('click', () => this.#commitAndGoOn());
    byId('settle', HTMLElement).addEventListener('click', () => this.#settle());
    byId('leave', HTMLElement).addEventListener('click', () => this.#leave());
    this.#as.addEventListener('change', () => this.#chooseAs());
    this.#everybody.addEventListener('change', () => this.#replacesChanged());
    window.addEventListener('online', () => this.#link.retryNow());
    this.#link.start();
    this.#write.focus();
  }

  get #replaces(): ReplacedSpeakers {
    return this.#everybody.checked ? 'everybody' : [...this.#chosen];
  }

  get #writesAs(): ParticipantIdentity | undefined {
    return this.#as.value === '' ? undefined : participantIdentity(this.#as.value);
  }

  #received(message: CaptionerServerMessage): void {
    switch (message.kind) {
      case 'welcome':
        for (const line of this.#written.resend(message.nextLine)) this.#link.send(line);
        return;
      case 'speakers':
        this.#speakers = message.speakers;
        this.#showSpeakers();
        return;
      case 'settled': {
        // What was typed in the last moment counts too.
        if (this.#sendTimer !== undefined) this.#sendCurrent();
        const before = this.#written.currentText;
        const now = this.#written.settled(message.line, message.text);
        if (now !== before) {
          this.#write.value = now;
          this.#sendCurrent();
        }
        this.#showLines();
        return;
      }
      case 'shown':
      case 'access':
      case 'ended':
      case 'error':
    }
  }

  #linkChanged(state: CaptionerLinkState): void {
    const status = byId('status', HTMLElement);
    const { wording } = this.#options;
    status.textContent =
      state.kind === 'refused' ? `${wording.refused} ${state.reason}` : wording[state.kind];
    const isBad = state.kind === 'lost' || state.kind === 'tokenEnded' || state.kind === 'refused';
    status.className = isBad ? 'bad' : '';
  }

  #typed(): void {
    const end = this.#auto.checked ? lineEnd(this.#write.value) : undefined;
    if (end !== undefined) {
      const rest = this.#write.value.slice(end);
      this.#write.value = this.#write.value.slice(0, end).trimEnd();
      this.#commit();
      this.#write.value = rest;
    }
    clearTimeout(this.#pauseTimer);
    if (this.#auto.checked) this.#pauseTimer = setTimeout(() => this.#commit(), AUTO_COMMIT_PAUSE_MS);
    this.#sendTimer ??= setTimeout(() => this.#sendCurrent(), SEND_INTERVAL_MS);
  }

  #sendCurrent(): void {
    clearTimeout(this.#sendTimer);
    this.#sendTimer = undefined;
    this.#send(this.#written.type(this.#write.value, this.#writesAs));
  }

  #commit(): void {
    clearTimeout(this.#pauseTimer);
    this.#sendCurrent();
    if (this.#write.value.trim() === '') return;
    this.#send(this.#written.commit());
    this.#write.value = '';
    this.#showLines();
  }

  #commitAndGoOn(): void {
    this.#commit();
    this.#write.focus();
  }

  #settle(): void {
    this.#commit();
    const line = this.#written.lastCommitted;
    if (line !== undefined) this.#send({ kind: 'settle', line });
    this.#write.focus();
  }

  #leave(): void {
    this.#commit();
    this.#link.close();
    for (const part of document.querySelectorAll<HTMLElement>('.writing')) part.hidden = true;
  }

  /** What cannot be sent now is sent again after the next welcome. */
  #send(message: CaptionerClientMessage | undefined): void {
    if (message !== undefined) this.#link.send(message);
  }

  #keyPressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const isAtBeginning = this.#write.selectionStart === 0 && this.#write.selectionEnd === 0;
    if (event.key === 'Enter' && event.ctrlKey) this.#settle();
    else if (event.key === 'Enter' && !event.shiftKey) this.#commit();
    else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown'))
      this.#stepAs(event.key === 'ArrowUp' ? -1 : 1);
    else if (!(event.key === 'ArrowUp' && isAtBeginning && this.#list.focusLast())) return;
    event.preventDefault();
  }

  #stepAs(step: number): void {
    const count = this.#as.options.length;
    this.#as.selectedIndex = (this.#as.selectedIndex + step + count) % count;
    this.#chooseAs();
  }

  /** Who writes for somebody stands in for their recognition. */
  #chooseAs(): void {
    const as = this.#writesAs;
    if (as !== undefined && !this.#everybody.checked && !this.#chosen.has(as)) {
      this.#chosen.add(as);
      this.#replacesChanged();
    }
    if (this.#write.value !== '') this.#sendCurrent();
  }

  #replacesChanged(): void {
    // Nobody is written for whose recognition goes on.
    const as = this.#writesAs;
    if (as !== undefined && !this.#everybody.checked && !this.#chosen.has(as)) {
      this.#commit();
      this.#as.value = '';
    }
    this.#send({ kind: 'replace', replaces: this.#replaces });
    this.#showSpeakers();
  }

  #nameOf(as: ParticipantIdentity | undefined): string {
    if (as === undefined) return this.#options.captioner.name;
    const known = this.#speakers.find(({ identity }) => identity === as)?.name ?? '';
    return shownName(known, as);
  }

  #showLines(): void {
    const lines = this.#written.correctable;
    this.#list.show(lines);
    byId('no-lines', HTMLElement).hidden = lines.length > 0;
  }

  #showSpeakers(): void {
    const { wording, captioner } = this.#options;
    const before = this.#as.value;
    const option = (text: string, value: string): HTMLOptionElement => new Option(text, value);
    this.#as.replaceChildren(
      option(`${captioner.name} (${wording.myself})`, ''),
      ...this.#speakers.map(({ identity }) => option(this.#nameOf(identity), identity)),
    );
    const isThere = this.#speakers.some(({ identity }) => identity === before);
    // Somebody who has left keeps the line that is being written for them.
    if (before !== '' && !isThere) this.#as.append(option(before, before));
    this.#as.value = before;
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset['speaker'] : undefined;
    const boxes = this.#speakers.map(({ identity }) => this.#speakerBox(identity));
    byId('speakers', HTMLElement).replaceChildren(...boxes);
    if (focused !== undefined)
      boxes
        .map((box) => box.querySelector('input'))
        .find((input) => input?.dataset['speaker'] === focused)
        ?.focus();
  }

  #speakerBox(identity: ParticipantIdentity): HTMLElement {
    const label = document.createElement('label');
    const input = document.createElement('input');
    input.type = 'checkbox';
    input.dataset['speaker'] = identity;
    input.checked = this.#everybody.checked || this.#chosen.has(identity);
    input.disabled = this.#everybody.checked;
    input.addEventListener('change', () => {
      if (input.checked) this.#chosen.add(identity);
      else this.#chosen.delete(identity);
      this.#replacesChanged();
    });
    label.append(input, ` ${this.#options.wording.stopFor} ${this.#nameOf(identity)}`);
    return label;
  }
}
