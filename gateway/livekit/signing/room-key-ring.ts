/**
 * The keys of one bot: which one it signs with, and that the room's metadata names it. Participants cannot write a room's metadata;
 * the application can, and other things of it are in there: only our own property is ever changed.
 */
import { detached } from '../../../asr/detached.js';
import {
  errorMessage,
  CaptionError,
  roomKeysIn,
  type RoomName,
  withRoomKeys,
} from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import { pause } from '../../pause.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { RoomKey } from './room-key.js';

/** Before what somebody overwrote is written again; doubled each time, so that two who disagree do not fill the room. */
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 30_000;
/** Whoever has left our property alone for so long does not mean to remove it. */
const QUIET_MS = 60_000;

/** How viewers in the room learn its key: its metadata names it, or they ask a gateway over HTTPS only. */
export type RoomKeyRoad = 'metadata' | 'https';

export interface RoomKeyRingOptions {
  readonly room: RoomName;
  readonly apiSecret: string;
  readonly road: RoomKeyRoad;
  readonly admin: Pick<LiveKitAdmin, 'findRoom' | 'setRoomMetadata'>;
  /** Another key counts from now on: what was said before is to be said again with it. */
  readonly changed: () => void;
  readonly log: Logger;
}

/** `close` it. */
export class RoomKeyRing {
  readonly #options: RoomKeyRingOptions;
  readonly #closing = new AbortController();
  #key: RoomKey | undefined;
  #waitMs = FIRST_WAIT_MS;
  #triedAtMs = -Infinity;
  /** What we wrote last, and on top of what. */
  #written: { readonly metadata: string; readonly basedOn: string } | undefined;
  /** What others wrote since `basedOn` was read. */
  #foreign: string | undefined;
  #isBusy = false;
  #isDue = false;
  #isRefusalLogged = false;

  constructor(options: RoomKeyRingOptions) {
    this.#options = options;
  }

  /** Undefined before the first `connected`. */
  get key(): RoomKey | undefined {
    return this.#key;
  }

  /** The bot is in the room, or in it again. `sid` may be empty where it is not known; LiveKit's API knows it. */
  connected(sid: string): void {
    if (sid !== '') this.#use(sid);
    this.#check();
  }

  /** The room's metadata is this now. */
  metadataChanged(metadata: string): void {
    const written = this.#written;
    if (metadata === written?.metadata) {
      const lost = this.#foreign;
      this.#foreign = undefined;
      // LiveKit has no way to change a part: what the application wrote between our reading and our writing is written again.
      if (lost !== undefined && lost !== written.basedOn) this.#restore(lost);
      return;
    }
    this.#foreign = metadata;
    if (!this.#isNamedIn(metadata)) this.#check();
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
  }

  #use(sid: string): void {
    if (this.#key?.session.sid === sid) return;
    const { room, apiSecret, changed } = this.#options;
    this.#key = new RoomKey({ room, sid }, apiSecret);
    changed();
  }

  #isNamedIn(metadata: string): boolean {
    const [first, ...others] = roomKeysIn(metadata);
    return this.#key !== undefined && first === this.#key.publicKey && others.length === 0;
  }

  #check(): void {
    this.#isDue = true;
    if (!this.#isBusy) detached('naming the key of a room', this.#run());
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    this.#isBusy = true;
    while (this.#isDue) {
      await this.#wait();
      if (this.#closing.signal.aborted) break;
      this.#isDue = false;
      await this.#compare().catch((error: unknown) => this.#failed(error));
    }
    this.#isBusy = false;
  }

  async #compare(): Promise<void> {
    const { admin, room, road } = this.#options;
    const { signal } = this.#closing;
    this.#foreign = undefined;
    const info = await admin.findRoom(room, { signal });
    // The bot is on its way out.
    if (info === undefined) return;
    this.#use(info.sid);
    if (road === 'https' || this.#isNamedIn(info.metadata)) return;
    await this.#write(info.metadata);
  }

  async #write(metadata: string): Promise<void> {
    const { admin, room } = this.#options;
    const key = this.#key;
    if (key === undefined) return;
    const merged = withRoomKeys(metadata, [key.publicKey]);
    if (merged === undefined) {
      this.#refused('The room’s metadata is no JSON object: viewers can ask for the key over HTTPS only.');
      return;
    }
    this.#written = { metadata: merged, basedOn: metadata };
    this.#triedAtMs = performance.now();
    await admin.setRoomMetadata(room, merged, { signal: this.#closing.signal });
  }

  #restore(metadata: string): void {
    this.#write(metadata).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#triedAtMs = performance.now();
    if (error instanceof CaptionError && error.retryable) this.#check();
    else this.#refused(errorMessage(error));
  }

  #refused(reason: string): void {
    if (this.#isRefusalLogged) return;
    this.#isRefusalLogged = true;
    this.#options.log.warn({ reason }, 'key of the room not in its metadata');
  }

  /** Not at all, unless something was tried just before. */
  async #wait(): Promise<void> {
    if (performance.now() - this.#triedAtMs > QUIET_MS) {
      this.#waitMs = FIRST_WAIT_MS;
      return;
    }
    await pause(this.#waitMs * (0.5 + Math.random()), this.#closing.signal);
    this.#waitMs = Math.min(2 * this.#waitMs, MAX_WAIT_MS);
  }
}
