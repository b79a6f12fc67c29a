import { epochMs, type EpochMs, type ParticipantIdentity } from '../../../protocol/index.js';

/** Most recipients named in one packet: with identities of 36 characters they take some 2 kB of its 15. */
const MAX_RECIPIENTS = 50;

/** Who is in the room to read, and since when. */
export class Readers {
  readonly #joinedAtMs = new Map<ParticipantIdentity, EpochMs>();

  get identities(): readonly ParticipantIdentity[] {
    return [...this.#joinedAtMs.keys()];
  }

  joined(identity: ParticipantIdentity, joinedAtMs: number): void {
    this.#joinedAtMs.set(identity, epochMs(Math.floor(joinedAtMs)));
  }

  left(identity: ParticipantIdentity): void {
    this.#joinedAtMs.delete(identity);
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
