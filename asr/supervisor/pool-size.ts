import type { Lateness } from './lateness.js';

/** A change needs so long to show: a child loads its model, and what is behind is caught up. */
const SETTLING_MS = 10_000;
/** A child more than at first is kept until recognition has kept up for so long. */
const KEPT_WHILE_PUNCTUAL_MS = 60_000;

/** Decides when recognition that is behind is worth another child, and when that is not needed any more. */
export class PoolSize {
  readonly #least: number;
  readonly #most: number;
  #changedAtMs = -Infinity;

  /** Numbers of children. */
  constructor({ least, most }: { least: number; most: number }) {
    this.#least = least;
    this.#most = most;
  }

  /** How many children more there should be: 1, 0 or -1. */
  step({ lateness, children, nowMs }: { lateness: Lateness; children: number; nowMs: number }): number {
    if (nowMs - this.#changedAtMs < SETTLING_MS) return 0;
    const isCalm = !lateness.isLate && lateness.lastedMs(nowMs) >= KEPT_WHILE_PUNCTUAL_MS;
    const step = Number(lateness.isLate && children < this.#most) - Number(isCalm && children > this.#least);
    if (step !== 0) this.#changedAtMs = nowMs;
    return step;
  }
}
