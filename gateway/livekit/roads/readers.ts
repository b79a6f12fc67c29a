import { epochMs, type EpochMs, type ParticipantIdentity } from '../../../protocol/index.js';

/** Most recipients named in one packet: with identities of 36 characters they take some 2 kB of its 15. */
const MAX_RECIPIENTS = 50;

/** Who is back within this time was there all along: a page loaded again, a connection that was lost. */
const BACK_WITHIN_MS = 60_000;
const MAX_REMEMBERED = 1000;

/** Who is in the room to read, and since when. */
export class Readers {
  readonly #joinedAtMs = new Map<ParticipantIdentity, EpochMs>();
  readonly #left = new Map<
    ParticipantIdentity,
    { readonly joinedAtMs: EpochMs; readonly leftAtMs: number }
  >();

  get identities(): readonly ParticipantIdentity[] {
    return [...this.#joinedAtMs.keys()];
  }

  joined(identity: ParticipantIdentity, joinedAtMs: number): void {
    if (this.#joinedAtMs.has(identity)) return;
    const before = this.#left.get(identity);
    this.#left.delete(identity);
    const isBack = before !== undefined && joinedAtMs - before.leftAtMs <= BACK_WITHIN_MS;
    this.#joinedAtMs.set(identity, isBack ? before.joinedAtMs : epochMs(Math.floor(joinedAtMs)));
  }

  left(identity: ParticipantIdentity): void {
    const joinedAtMs = this.#joinedAtMs.get(identity);
    this.#joinedAtMs.delete(identity);
    if (joinedAtMs === undefined) return;
    this.#left.delete(identity);
    this.#left.set(identity, { joinedAtMs, leftAtMs: Date.now() });
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_REMEMBERED && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Of somebody who was never announced: now, so that nothing is shown which is not theirs to see. */
  joinedAtMs(identity: ParticipantIdentity): EpochMs {
    return this.#joinedAtMs.get(identity) ?? epochMs(Date.now());
  }
}

/** Recipients in groups that fit a packet. No groups for nobody: to LiveKit an empty list means everybody. */
export function recipientGroups(recipients: Iterable<ParticipantIdentity>): ParticipantIdentity[][] {
  const all = [...recipients];
  const groups: ParticipantIdentity[][] = [];
  for (let first = 0; first < all.length; first += MAX_RECIPIENTS) {
    groups.push(all.slice(first, first + MAX_RECIPIENTS));
  }
  return groups;
}
