import type { ParticipantIdentity, SegmentState } from '../../../protocol/index.js';
import type { Visit } from '../../rooms/attendance.js';
import type { Room } from '../../rooms/room.js';
import type { HistoryStart } from '../../rooms/room-history.js';
import type { Audience, RoomOutlet } from '../room-outlet.js';

/** Most recipients named in one packet: with identities of 36 characters they take some 2 kB of its 15. */
const MAX_RECIPIENTS = 50;

/** Applications try again at growing intervals, of 7 s at most in livekit-client (DefaultReconnectPolicy.ts). */
const AWAITED_MS = 10_000;

/** Who is in the room to read, and from where on the room's history is theirs to see. */
export class Readers {
  readonly #outlet: Pick<RoomOutlet, 'isConnected'>;
  readonly #room: Room;
  /** Whom the bot lost sight of together with its own connection. */
  readonly #awaited = new Set<ParticipantIdentity>();
  /** Until when they are. */
  #givingUp: NodeJS.Timeout | undefined;
  readonly #waiters: (() => void)[] = [];
  readonly #visits = new Map<ParticipantIdentity, Visit>();

  constructor(outlet: Pick<RoomOutlet, 'isConnected'>, room: Room) {
    this.#outlet = outlet;
    this.#room = room;
  }

  get areAwaited(): boolean {
    return this.#givingUp !== undefined;
  }

  get identities(): readonly ParticipantIdentity[] {
    return [...this.#visits.keys()];
  }

  joined(identity: ParticipantIdentity): void {
    if (this.#awaited.delete(identity) && this.#awaited.size === 0) this.#awaitNobody();
    if (!this.#visits.has(identity)) this.#visits.set(identity, this.#room.visit(identity));
  }

  left(identity: ParticipantIdentity): void {
    if (!this.#outlet.isConnected) this.#awaited.add(identity);
    this.#visits.get(identity)?.leave();
    this.#visits.delete(identity);
  }

  /** The bot's own connection is there again. */
  reconnected(): void {
    if (this.#awaited.size === 0) return;
    clearTimeout(this.#givingUp);
    this.#givingUp = setTimeout(() => this.#awaitNobody(), AWAITED_MS);
    this.#givingUp.unref();
  }

  /** Resolves when those who were there are there again, or have had 10 s for it; at once after `close`. */
  async areBack(): Promise<void> {
    if (this.areAwaited) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Idempotent. */
  close(): void {
    this.#awaitNobody();
    for (const visit of this.#visits.values()) visit.leave();
    this.#visits.clear();
  }

  #awaitNobody(): void {
    this.#awaited.clear();
    clearTimeout(this.#givingUp);
    this.#givingUp = undefined;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Of somebody who was never announced: from now on, so that nothing is shown which is not theirs to see. */
  since(identity: ParticipantIdentity): HistoryStart {
    return this.#visits.get(identity)?.since ?? this.#room.historyStart;
  }

  /** Who may now be sent what was told of a segment; undefined for everybody, also those who are not announced yet. */
  entitledTo(told: SegmentState): readonly ParticipantIdentity[] | undefined {
    if (this.#room.shows(told, this.#room.historyStart)) return undefined;
    const entitled = this.identities.filter((identity) => this.#room.shows(told, this.since(identity)));
    return entitled.length === this.identities.length ? undefined : entitled;
  }
}

/**
 * For what can be sent only once, to all: when a server restarts, everybody comes back at a time of their own, and the
 * connection counts as being there when they do.
 */
export const onceReadersAreBack = (
  outlet: Pick<RoomOutlet, 'isConnected' | 'connected'>,
  readers: Readers,
): Pick<RoomOutlet, 'isConnected' | 'connected'> => ({
  get isConnected() {
    return outlet.isConnected && !readers.areAwaited;
  },
  connected: async () => {
    await outlet.connected();
    await readers.areBack();
  },
});

/** The recipients of each packet that reaches all of an audience; undefined for a packet that goes to everybody. */
export const packetRecipients = (audience: Audience): (readonly ParticipantIdentity[] | undefined)[] =>
  audience === 'everybody' ? [undefined] : recipientGroups(audience);

/** Those of `recipients` who may be sent captions. */
export const within = (
  audience: Audience,
  recipients: Iterable<ParticipantIdentity>,
): Iterable<ParticipantIdentity> =>
  audience === 'everybody' ? recipients : [...recipients].filter((identity) => audience.includes(identity));

/** Recipients in groups that fit a packet. No groups for nobody: to LiveKit an empty list means everybody. */
export function recipientGroups(recipients: Iterable<ParticipantIdentity>): ParticipantIdentity[][] {
  const all = [...recipients];
  const groups: ParticipantIdentity[][] = [];
  for (let first = 0; first < all.length; first += MAX_RECIPIENTS) {
    groups.push(all.slice(first, first + MAX_RECIPIENTS));
  }
  return groups;
}
