import type { Lateness } from './lateness.js';

/** A change needs so long to show: a child loads its model, and what is behind is caught up. */
const DEFAULT_SETTLING_MS = 10_000;
/** A child more than at first is kept until the others could have done without it for so long. */
const DEFAULT_KEPT_WHILE_CALM_MS = 60_000;
/**
 * Above this share of a core for decoding alone, at two looks in a row, a child is busy: words wait for their turns. 40 people on a slow
 * machine, whose only child decoded all the time: words at p95 912 and 1,231, finals at 1,606 and 2,050 ms; with two children 785 and 799,
 * 993 and 1,058 ms. On a machine twice as fast they take 0.35.
 */
const BUSY_FROM_CORES = 0.7;
const BUSY_LOOKS = 2;
/** One child fewer must not make the others busy at once. */
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

/** Decides when recognition that is behind, or about to be, is worth another child, and when that is not needed any more. */
export class PoolSize {
  readonly #limits: Required<PoolSizeOptions>;
  #changedAtMs = -Infinity;
  #busyLooks = 0;
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
    this.#busyLooks = cores > BUSY_FROM_CORES * children ? this.#busyLooks + 1 : 0;
    if (lateness.isLate || cores > CALM_BELOW_CORES * (children - 1)) this.#neededAtMs = nowMs;
    if (nowMs - this.#changedAtMs < settlingMs) return 0;
    const isTooMuch = lateness.isLate || this.#busyLooks >= BUSY_LOOKS;
    const isCalm = nowMs - this.#neededAtMs >= keptWhileCalmMs;
    const step = Number(isTooMuch && children < most) - Number(isCalm && children > least);
    if (step !== 0) this.#changedAtMs = nowMs;
    return step;
  }
}
