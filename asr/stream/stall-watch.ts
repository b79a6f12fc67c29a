/**
 * When audio that should come does not. The only such rule: whatever stalls, a network, a process or a client, it stalls here.
 *
 * A sentence whose end was heard is finished soon. In the middle of a word the audio may be merely stuck: what there is stays as it
 * is and the segment stays open, so that the word is whole when the rest comes after all.
 */
export interface StallLimits {
  /** After so long without audio a segment is finished if nobody was speaking at its end. */
  readonly pauseMs: number;
  /** After so long it is finished whatever was heard last. */
  readonly finishMs: number;
}

export const DEFAULT_STALL_LIMITS: StallLimits = { pauseMs: 1500, finishMs: 10_000 };

export interface StallListener {
  /** Nothing has come for `pauseMs`. */
  paused(): void;
  /** Nothing has come for `finishMs`. */
  overdue(): void;
}

/** One timer for one stream. `close` when it ends. */
export class StallWatch {
  readonly #limits: StallLimits;
  readonly #listener: StallListener;
  #timer: NodeJS.Timeout | undefined;
  /** The timer runs for `overdue`. */
  #isPaused = false;
  #isClosed = false;

  constructor(limits: StallLimits, listener: StallListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Audio came. */
  heard(): void {
    if (this.#isClosed) return;
    if (this.#timer !== undefined && !this.#isPaused) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#isPaused = false;
    this.#timer = setTimeout(() => this.#paused(), this.#limits.pauseMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #paused(): void {
    this.#isPaused = true;
    const { pauseMs, finishMs } = this.#limits;
    this.#timer = setTimeout(() => this.#listener.overdue(), Math.max(0, finishMs - pauseMs));
    this.#listener.paused();
  }
}
