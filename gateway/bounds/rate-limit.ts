/** So much at once, and so much a second in the long run. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** A token bucket. What to do about too much is the caller's business. */
export class RateLimit {
  readonly #allowance: Allowance;
  readonly #now: () => number;
  #left: number;
  #filledAtMs: number;

  constructor(allowance: Allowance, now: () => number = () => performance.now()) {
    this.#allowance = allowance;
    this.#now = now;
    this.#left = allowance.burst;
    this.#filledAtMs = now();
  }

  /** Whether it allows what a new one would. */
  get isAtRest(): boolean {
    this.#fill();
    return this.#left >= this.#allowance.burst;
  }

  /** False, and nothing is taken, where that is more than is left. */
  tryTake(amount = 1): boolean {
    this.#fill();
    if (this.#left < amount) return false;
    this.#left -= amount;
    return true;
  }

  #fill(): void {
    const nowMs = this.#now();
    const { burst, perSecond } = this.#allowance;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledAtMs) * perSecond) / 1000);
    this.#filledAtMs = nowMs;
  }
}
