import { CaptionError } from '../../protocol/index.js';

/** Lets `burst` messages pass at once and `perSecond` in the long run. */
export class RateLimit {
  readonly #burst: number;
  readonly #perMs: number;
  readonly #now: () => number;
  #left: number;
  #filledAtMs: number;

  constructor(options: { burst: number; perSecond: number; now?: () => number }) {
    this.#burst = options.burst;
    this.#perMs = options.perSecond / 1000;
    this.#now = options.now ?? ((): number => performance.now());
    this.#left = options.burst;
    this.#filledAtMs = this.#now();
  }

  /** Throws CaptionError `captioner_too_fast`. */
  take(): void {
    const nowMs = this.#now();
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) {
      throw new CaptionError('captioner_too_fast', 'More messages than anybody can read; slow down.', {
        retryable: true,
      });
    }
    this.#left -= 1;
  }
}
