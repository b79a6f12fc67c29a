import { gatewayAddress } from '../../../../protocol/index.js';
import { byId, ownBase } from '../page-elements.js';
import type { IndexWording } from './index-wording.js';

const REFRESH_MS = 5000;

/** As `GET /v1/rooms` gives it. */
interface RoomList {
  readonly rooms: readonly { readonly room: string; readonly speakers: number; readonly startedAt: string }[];
  readonly omitted: number;
}

export interface RoomPickerOptions {
  readonly token: string | undefined;
  /** BCP 47, for times. */
  readonly tag: string;
  readonly wording: IndexWording;
}

/** The rooms that are live, to choose from; kept up to date as long as the page is looked at, until `close`. */
export class RoomPicker {
  readonly #options: RoomPickerOptions;
  readonly #closing = new AbortController();
  readonly #rooms = byId('rooms', HTMLUListElement);
  readonly #note = byId('rooms-note', HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RoomPickerOptions) {
    this.#options = options;
  }

  open(): void {
    void this.#refresh();
    document.addEventListener(
      'visibilitychange',
      () => {
        if (!document.hidden) void this.#refresh();
      },
      { signal: this.#closing.signal },
    );
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const { signal } = this.#closing;
    const { token, wording } = this.#options;
    try {
      const response = await fetch(gatewayAddress(ownBase(), 'v1/rooms'), {
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(REFRESH_MS)]),
      });
      if (response.ok) this.#show((await response.json()) as RoomList);
      else
        this.#say(
          response.status === 401 && token === undefined ? wording.tokenNeeded : await told(response),
        );
    } catch {
      if (!signal.aborted) this.#say(wording.roomsUnknown);
    }
    if (signal.aborted) return;
    byId('live', HTMLElement).hidden = false;
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => void this.#refresh(), REFRESH_MS);
  }

  #show({ rooms, omitted }: RoomList): void {
    const { wording } = this.#options;
    const focused = document.activeElement?.getAttribute('href');
    this.#rooms.replaceChildren(...rooms.map((room) => this.#itemOf(room)));
    // Whoever was about to choose goes on where they were.
    if (focused !== undefined && focused !== null)
      [...this.#rooms.querySelectorAll('a')].find((link) => link.getAttribute('href') === focused)?.focus();
    const note = omitted > 0 ? wording.roomsOmitted(omitted) : rooms.length === 0 ? wording.noRooms : '';
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  #itemOf({ room, speakers, startedAt }: RoomList['rooms'][number]): HTMLLIElement {
    const { wording, tag } = this.#options;
    const link = document.createElement('a');
    link.href = `./?room=${encodeURIComponent(room)}${location.hash}`;
    const name = document.createElement('bdi');
    name.textContent = room;
    const time = new Intl.DateTimeFormat(tag, { timeStyle: 'short' }).format(new Date(startedAt));
    const about = document.createElement('span');
    about.textContent = [speakers > 0 ? wording.speakers(speakers) : '', wording.since(time)]
      .filter((part) => part !== '')
      .join(' · ');
    link.append(name, about);
    const item = document.createElement('li');
    item.append(link);
    return item;
  }

  #say(text: string): void {
    this.#rooms.replaceChildren();
    this.#note.textContent = text;
  }
}

/** What the gateway says is wrong. */
async function told(response: Response): Promise<string> {
  const { message } = (await response.json()) as { message: string };
  return message;
}
