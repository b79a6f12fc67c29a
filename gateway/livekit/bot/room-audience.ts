import { ParticipantInfo_Kind } from '@livekit/protocol';
import { type ParticipantIdentity, participantIdentity } from '../../../protocol/index.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import type { Audience } from '../room-outlet.js';
import { isKeptOut, maySubscribe } from './participant-kinds.js';
import { identityOf, type RtcRoom } from './rtc-room.js';

/** LiveKit tells of people who publish nothing up to 3 s late (livekit, rtc/room.go, subscriberUpdateInterval). */
const LEARNED_FOR_MS = 10_000;

export interface RoomAudienceOptions {
  readonly rtc: RtcRoom;
  /** Everybody in the room, whom LiveKit has not told the bot of as well. */
  readonly listParticipants: () => ReturnType<LiveKitAdmin['listParticipants']>;
}

/** Who in a room may be sent captions. LiveKit sends data to everybody whose names are not left out: it does not ask for `canSubscribe`. */
export class RoomAudience {
  readonly #options: RoomAudienceOptions;
  /** Somebody was in the room who may not subscribe: the next one could come unannounced as well. */
  #isGuarded = false;
  /** Whom only the server's API told of, and until when that is believed; monotonic. */
  readonly #learned = new Map<ParticipantIdentity, number>();

  constructor(options: RoomAudienceOptions) {
    this.#options = options;
  }

  get isSomebodyKeptOut(): boolean {
    return this.#options.rtc.participants.some(isKeptOut);
  }

  get audience(): Audience {
    const { participants } = this.#options.rtc;
    this.#isGuarded ||= this.isSomebodyKeptOut;
    if (!this.#isGuarded) return 'everybody';
    const known = new Set(participants.map(identityOf));
    const nowMs = performance.now();
    for (const [identity, untilMs] of this.#learned)
      if (known.has(identity) || nowMs > untilMs) this.#learned.delete(identity);
    return [...participants.filter(maySubscribe).map(identityOf), ...this.#learned.keys()];
  }

  /** Those who may read and of whom LiveKit has not told the bot: they have just come, or are hidden. Throws what LiveKitAdmin does. */
  async newcomers(): Promise<readonly ParticipantIdentity[]> {
    const { rtc, listParticipants } = this.#options;
    const listed = await listParticipants();
    this.#isGuarded ||= listed.some(
      ({ kind, permission }) => kind !== ParticipantInfo_Kind.INGRESS && permission?.canSubscribe === false,
    );
    const known = new Set<string>(rtc.participants.map(identityOf));
    const untilMs = performance.now() + LEARNED_FOR_MS;
    const newcomers = listed
      .filter(({ identity, permission }) => permission?.canSubscribe !== false && !known.has(identity))
      .map(({ identity }) => participantIdentity(identity))
      .filter((identity) => identity !== rtc.identity);
    for (const identity of newcomers) this.#learned.set(identity, untilMs);
    return newcomers;
  }
}
