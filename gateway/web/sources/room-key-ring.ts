import type { Room } from 'livekit-client';
import { CaptionKey, roomKeysIn, roomKeysOf } from '../../../protocol/index.js';

/** Public keys of a room, as text, or how to learn them. Called again when a message is signed with none of them. */
export type RoomKeysOption = readonly string[] | ((room: string) => Promise<readonly string[]>);

/** Forged messages must not make a page ask for keys all the time. */
const ASK_AGAIN_AFTER_MS = 10_000;

/** The keys that captions of a room are checked with: those the application gives, else those in the room's metadata. `close` it. */
export class RoomKeyRing {
  readonly #room: Room;
  readonly #option: RoomKeysOption | undefined;
  readonly #changed: (keys: readonly CaptionKey[]) => void;
  #keys: readonly CaptionKey[] = [];
  #texts: readonly string[] = [];
  #askedAtMs = -Infinity;
  /** Counts readings: what an older one finds is of no use any more. */
  #reading = 0;

  constructor(
    room: Room,
    option: RoomKeysOption | undefined,
    changed: (keys: readonly CaptionKey[]) => void,
  ) {
    this.#room = room;
    this.#option = option;
    this.#changed = changed;
  }

  get keys(): readonly CaptionKey[] {
    return this.#keys;
  }

  /** The room was joined, or its metadata is new. */
  refresh(): void {
    this.#askedAtMs = performance.now();
    // Without an answer what was known still counts.
    this.#read().catch(() => undefined);
  }

  /** Something came that none of the keys has signed: perhaps there are new ones. */
  needed(): void {
    if (typeof this.#option !== 'function') return;
    if (performance.now() - this.#askedAtMs >= ASK_AGAIN_AFTER_MS) this.refresh();
  }

  /** Nothing is told afterwards, until the next `refresh`. */
  close(): void {
    this.#reading += 1;
    this.#keys = [];
    this.#texts = [];
  }

  async #read(): Promise<void> {
    const reading = (this.#reading += 1);
    const texts = await this.#textsNow();
    const keys = await Promise.all(texts.map((text) => CaptionKey.read(text)));
    if (reading !== this.#reading || texts.join() === this.#texts.join()) return;
    this.#texts = texts;
    this.#keys = keys.flatMap((key) => key ?? []);
    this.#changed(this.#keys);
  }

  async #textsNow(): Promise<readonly string[]> {
    if (this.#option === undefined) return roomKeysIn(this.#room.metadata);
    return roomKeysOf(
      typeof this.#option === 'function' ? await this.#option(this.#room.name) : this.#option,
    );
  }
}
