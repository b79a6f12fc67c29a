import type { RateLimit } from '../bounds/rate-limit.js';

/** Snapshots of one moment are encoded once for all who wait. */
const ROUND_INTERVAL_MS = 250;
/** As many sockets are written to at once; whoever waits longer is served in the next round. */
const SENT_A_ROUND = 50;

interface Asker {
  readonly limit: RateLimit;
  readonly send: () => void;
}

/**
 * Further snapshots for the viewers of one room, in rounds: however many ask, the room's state is encoded a few times a second at
 * most, and never before what is being broadcast has gone out. Whose limit is used up waits for a later round.
 */
export class SnapshotRounds {
  readonly #waiting = new Set<Asker>();
  #timer: NodeJS.Timeout | undefined;
  #lastAtMs = -Infinity;

  /** Calls `send` in one of the next rounds, unless the result is called before. */
  ask(limit: RateLimit, send: () => void): () => void {
    const asker = { limit, send };
    this.#waiting.add(asker);
    this.#schedule();
    return () => {
      this.#waiting.delete(asker);
      if (this.#waiting.size === 0) this.#stop();
    };
  }

  #schedule(): void {
    const waitMs = Math.max(0, this.#lastAtMs + ROUND_INTERVAL_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#serve(), waitMs);
  }

  #serve(): void {
    this.#stop();
    this.#lastAtMs = performance.now();
    let sent = 0;
    for (const asker of [...this.#waiting]) {
      if (sent === SENT_A_ROUND) break;
      if (!asker.limit.tryTake()) continue;
      sent += 1;
      this.#waiting.delete(asker);
      asker.send();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
