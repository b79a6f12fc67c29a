import type { ParticipantIdentity } from '../../protocol/index.js';
import type { HistoryStart } from './room-history.js';

/** Who is back within this time was there all along: a page loaded again, a connection that was lost. */
const BACK_WITHIN_MS = 60_000;
const MAX_REMEMBERED = 1000;
/** Of one meeting. Those who come after so many others are not taken down, and need `roomAdmin` for its transcript later. */
const MAX_ATTENDEES = 10_000;

/** Somebody's stay in a room. */
export interface Visit {
  /** From where on the room's history is theirs to see. */
  readonly since: HistoryStart;
  /** Idempotent. */
  leave(): void;
}

interface Stay {
  readonly since: HistoryStart;
  /** Connections of the same person. */
  visits: number;
}

/** Who is in a room, and who was: from where on they may see what is said, and who was at the meeting. */
export class Attendance {
  readonly #startForNewcomers: () => HistoryStart;
  readonly #present = new Map<ParticipantIdentity, Stay>();
  readonly #left = new Map<ParticipantIdentity, { readonly since: HistoryStart; readonly atMs: number }>();
  #attendees = new Set<ParticipantIdentity>();

  constructor(startForNewcomers: () => HistoryStart) {
    this.#startForNewcomers = startForNewcomers;
  }

  /** Somebody comes, or comes back. Without an identity that is known for certain everybody is new. */
  visit(identity: ParticipantIdentity | undefined): Visit {
    if (identity === undefined) return { since: this.#startForNewcomers(), leave: () => undefined };
    const stay = this.#present.get(identity) ?? { since: this.#sinceOf(identity), visits: 0 };
    stay.visits += 1;
    this.#left.delete(identity);
    this.#present.set(identity, stay);
    this.attended(identity);
    let isOver = false;
    return {
      since: stay.since,
      leave: () => {
        if (isOver) return;
        isOver = true;
        stay.visits -= 1;
        if (stay.visits === 0) this.#leave(identity, { since: stay.since, atMs: performance.now() });
      },
    };
  }

  /** Somebody takes part who need not be here to see: a speaker, a captioner. */
  attended(identity: ParticipantIdentity): void {
    if (this.#attendees.size < MAX_ATTENDEES) this.#attendees.add(identity);
  }

  /** Only those who are here are at the meeting that begins now. */
  meetingBegan(): void {
    this.#attendees = new Set([...this.#present.keys()].slice(0, MAX_ATTENDEES));
  }

  /** Who was at the meeting, or is. */
  get attendees(): ReadonlySet<ParticipantIdentity> {
    return this.#attendees;
  }

  #sinceOf(identity: ParticipantIdentity): HistoryStart {
    const before = this.#left.get(identity);
    const isBack = before !== undefined && performance.now() - before.atMs <= BACK_WITHIN_MS;
    return isBack ? before.since : this.#startForNewcomers();
  }

  #leave(identity: ParticipantIdentity, left: { readonly since: HistoryStart; readonly atMs: number }): void {
    this.#present.delete(identity);
    this.#left.set(identity, left);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_REMEMBERED && oldest !== undefined) this.#left.delete(oldest);
  }
}
