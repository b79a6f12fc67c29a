import type { Lateness } from './lateness.js';

/** A change needs so long to show: a child loads its model, and what is behind is caught up. */
const DEFAULT_SETTLING_MS = 10_000;
/** A child more than at first is kept until recognition has kept up for so long. */
const DEFAULT_KEPT_WHILE_PUNCTUAL_MS = 60_000;

export interface PoolSizeOptions {
  /** Numbers of children. */
  readonly least: number;
  readonly most: number;
  /** Default 10 s. */
  readonly settlingMs?: number;
  /** Default 60 s. */
  readonly keptWhilePunctualMs?: number;
}

/** Decides when recognition that is behind is worth another child, and when that is not needed any more. */
export class PoolSize {
  readonly #limits: Required<PoolSizeOptions>;
  #changedAtMs = -Infinity;

  constructor(options: PoolSizeOptions) {
    this.#limits = {
      settlingMs: DEFAULT_SETTLING_MS,
      keptWhilePunctualMs: DEFAULT_KEPT_WHILE_PUNCTUAL_MS,
      ...options,
    };
  }

  /** How many children more there should be: 1, 0 or -1. */
  step({ lateness, children, nowMs }: { lateness: Lateness; children: number; nowMs: number }): number {
    const { least, most, settlingMs, keptWhilePunctualMs } = this.#limits;
    if (nowMs - this.#changedAtMs < settlingMs) return 0;
    const isCalm = !lateness.isLate && lateness.lastedMs(nowMs) >= keptWhilePunctualMs;
    const step = Number(lateness.isLate && children < most) - Number(isCalm && children > least);
    if (step !== 0) this.#changedAtMs = nowMs;
    return step;
  }
}
