/** Clients of a LiveKit room as applications write them. Each shows what it reads in a section of its own. */
import { joinWithCaptions } from './captions-client.js';
import { joinWithElement } from './element-client.js';
import { joinAsMeet } from './meet-client.js';
import { joinAsSpeaker } from './speaker-client.js';
import { joinWithTranscriptions } from './transcriptions-client.js';
import type { ClientKind, Visit } from './visit.js';

export interface Client {
  readonly url: string;
  readonly token: string;
  readonly room: string;
  /** Where it shows what it reads; `data-joined` is set on it once it is in the room. */
  readonly section: HTMLElement;
}

const JOIN: Readonly<Record<ClientKind, (client: Client) => Promise<void>>> = {
  captions: joinWithCaptions,
  element: joinWithElement,
  transcriptions: joinWithTranscriptions,
  meet: joinAsMeet,
  speaker: joinAsSpeaker,
};

const visit = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Visit;
await Promise.all(
  visit.clients.map(({ kind, token }) => {
    const section = document.createElement('section');
    section.id = kind;
    document.querySelector('main')?.append(section);
    return JOIN[kind]({ url: visit.url, room: visit.room, token, section });
  }),
);
