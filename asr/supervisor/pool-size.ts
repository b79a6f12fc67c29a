import type { Lateness } from './lateness.js';

/** A change needs so long to show: a child loads its model, and what is behind is caught up. */
const DEFAULT_SETTLING_MS = 10_000;
/** A child more than at first is kept until the others could have done without it for so long. */
const DEFAULT_KEPT_WHILE_CALM_MS = 60_000;
/**
 * One child fewer must not make the others fall behind at once. A further child that came before recognition was behind, when one decoded for
 * 70 % of its time, was tried on a slow machine whose two processors share a core: with 40 people words at p95 1,282 to 2,156 instead of
 * 1,038 ms, although with 56, who were too many, 3,188 and 4,343 instead of 6,265 and 7,387.
 */
const CALM_BELOW_CORES = 0.45;

export interface PoolSizeOptions {
  /** Numbers of children. */
  readonly least: number;
  readonly most: number;
  /** Default 10 s. */
  readonly settlingMs?: number;
  /** Default 60 s. */
  readonly keptWhileCalmMs?: number;
}

/** How recognition does, about once a second. */
export interface PoolLook {
  readonly lateness: Lateness;
  /** That all children together spent on decoding. */
  readonly cores: number;
  readonly children: number;
  readonly nowMs: number;
}

/** Decides when recognition that is behind is worth another child, and when that is not needed any more. */
export class PoolSize {
  readonly #limits: Required<PoolSizeOptions>;
  #changedAtMs = -Infinity;
  #neededAtMs = -Infinity;

  constructor(options: PoolSizeOptions) {
    this.#limits = {
      settlingMs: DEFAULT_SETTLING_MS,
      keptWhileCalmMs: DEFAULT_KEPT_WHILE_CALM_MS,
      ...options,
    };
  }

  /** How many children more there should be: 1, 0 or -1. */
  step({ lateness, cores, children, nowMs }: PoolLook): number {
    const { least, most, settlingMs, keptWhileCalmMs } = this.#limits;
    if (lateness.isLate || cores > CALM_BELOW_CORES * (children - 1)) this.#neededAtMs = nowMs;
    if (nowMs - this.#changedAtMs < settlingMs) return 0;
    const isCalm = nowMs - this.#neededAtMs >= keptWhileCalmMs;
    const step = Number(lateness.isLate && children < most) - Number(isCalm && children > least);
    if (step !== 0) this.#changedAtMs = nowMs;
    return step;
  }
}
