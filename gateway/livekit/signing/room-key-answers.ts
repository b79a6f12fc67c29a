import { CaptionError, type RoomName } from '../../../protocol/index.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { RoomKey } from './room-key.js';

/** A room that is asked for again within this has not begun anew. */
const FRESH_MS = 1000;
const MAX_KEPT = 1000;

/** The keys of rooms for those who ask over HTTPS; any gateway of a deployment knows them, whoever captions the room. */
export class RoomKeyAnswers {
  readonly #admin: Pick<LiveKitAdmin, 'findRoom'>;
  readonly #apiSecret: string;
  readonly #answers = new Map<
    RoomName,
    { readonly atMs: number; readonly keys: Promise<readonly string[]> }
  >();

  constructor(options: { admin: Pick<LiveKitAdmin, 'findRoom'>; apiSecret: string }) {
    this.#admin = options.admin;
    this.#apiSecret = options.apiSecret;
  }

  /** Throws CaptionError `livekit_room_missing`, and what LiveKit's API throws. */
  keysOf(room: RoomName): Promise<readonly string[]> {
    const known = this.#answers.get(room);
    if (known !== undefined && performance.now() - known.atMs < FRESH_MS) return known.keys;
    const keys = this.#ask(room);
    this.#answers.delete(room);
    this.#answers.set(room, { atMs: performance.now(), keys });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MAX_KEPT && oldest !== undefined) this.#answers.delete(oldest);
    return keys;
  }

  async #ask(room: RoomName): Promise<readonly string[]> {
    const info = await this.#admin.findRoom(room);
    if (info === undefined) {
      throw new CaptionError('livekit_room_missing', 'LiveKit knows no such room: nobody has joined it yet.');
    }
    return [new RoomKey({ room, sid: info.sid }, this.#apiSecret).publicKey];
  }
}
