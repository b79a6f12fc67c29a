import { randomBytes } from 'node:crypto';
import type { RoomName } from '../../../protocol/index.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import { botPlace } from '../tokens.js';
import { pause } from '../../pause.js';
import { type CaptionerPresence, presenceOf } from './presence.js';

const HEIR_ATTRIBUTE = 'caption-gateway.heir';
/** Longer than two gateways need from reading that nobody claims a room to writing that they do. */
const SETTLE_MS = 250;
/** Whoever claimed a room and did not come is gone as well. */
const STALE_CLAIM_MS = 5000;

export interface GhostClaimsOptions {
  readonly admin: Pick<LiveKitAdmin, 'getParticipant' | 'setAttributes'>;
  readonly agentName: string;
  readonly instance: string;
  readonly signal: AbortSignal;
}

/**
 * Which of several gateways replaces one that died: each writes its name onto the dead bot, which the server lists for some
 * 20 s more; the server keeps the last one. Not a lock: the rare two who win both meet in the room, and the later one stays.
 */
export class GhostClaims {
  readonly #options: GhostClaimsOptions;
  readonly #name: string;
  readonly #others = new Map<RoomName, { readonly value: string; readonly sinceMs: number }>();

  constructor(options: GhostClaimsOptions) {
    this.#options = options;
    this.#name = `${options.instance}:${randomBytes(4).toString('hex')}`;
  }

  /** True when `room` is ours to join. Throws what LiveKitAdmin does: `livekit_room_missing` when the ghost is gone. */
  async claim(room: RoomName, ghost: CaptionerPresence): Promise<boolean> {
    const { admin, agentName, signal } = this.#options;
    if (this.#isClaimedByAnother(room, ghost)) return false;
    const place = botPlace(agentName, room);
    await admin.setAttributes(place, { [HEIR_ATTRIBUTE]: this.#name }, { signal });
    await pause(SETTLE_MS, signal);
    const after = presenceOf(await admin.getParticipant(place, { signal }));
    // Another participant: somebody has joined meanwhile.
    return after.sid === ghost.sid && !this.#isClaimedByAnother(room, after);
  }

  forget(room: RoomName): void {
    this.#others.delete(room);
  }

  #isClaimedByAnother(room: RoomName, ghost: CaptionerPresence): boolean {
    const value = ghost.attributes[HEIR_ATTRIBUTE] ?? '';
    if (value === '' || value === this.#name) return false;
    const known = this.#others.get(room);
    if (known?.value !== value) {
      this.#others.set(room, { value, sinceMs: performance.now() });
      return true;
    }
    return performance.now() - known.sinceMs < STALE_CLAIM_MS;
  }
}
