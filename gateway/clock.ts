/**
 * Epoch times of everything that this gateway says. `performance.timeOrigin` is what the machine's clock said when the process began, and
 * stays wrong for good when that clock is set afterwards; `Date.now()` is right again at once, and may run backwards in mid-sentence.
 */

/** Smaller differences are not the clock being set: both are read one after the other, and one counts whole milliseconds. */
const TOLERANCE_MS = 50;
/** A clock that is ahead of the machine's runs slower by so much: nobody sees it in a caption. */
const SLEW = 0.1;

export interface ClockSource {
  /** What the machine takes for the time, in epoch milliseconds: may jump. */
  readonly machineMs: () => number;
  /** Never runs backwards. */
  readonly monotonicMs: () => number;
  /** What `machineMs` was when `monotonicMs` was 0, to fractions of a millisecond, if that is known. */
  readonly originMs?: number;
}

const PROCESS: ClockSource = {
  machineMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  originMs: performance.timeOrigin,
};

/**
 * Epoch time that never runs backwards and follows the machine's clock: forwards at once, backwards by running a little slower. One
 * that begins later is right from its beginning, therefore every room has one of its own.
 */
export class EpochClock {
  readonly #source: ClockSource;
  /** Epoch time less monotonic time. */
  #offsetMs: number;
  #readAtMs: number;

  constructor(source: ClockSource = PROCESS) {
    this.#source = source;
    this.#readAtMs = source.monotonicMs();
    this.#offsetMs = this.#machineOffsetMs();
  }

  now(): number {
    const monotonicMs = this.#source.monotonicMs();
    this.#follow(monotonicMs);
    return monotonicMs + this.#offsetMs;
  }

  /** The present relation between both is taken for other moments, too. */
  fromMonotonic(monotonicMs: number): number {
    return this.now() - this.#readAtMs + monotonicMs;
  }

  toMonotonic(epochMs: number): number {
    return epochMs - this.now() + this.#readAtMs;
  }

  /** Takes over what the machine says, backwards too: nothing has been said by this clock that somebody still sees. */
  restart(): void {
    this.#readAtMs = this.#source.monotonicMs();
    this.#offsetMs = this.#machineOffsetMs();
  }

  #machineOffsetMs(): number {
    const { machineMs, originMs } = this.#source;
    const offsetMs = machineMs() - this.#readAtMs;
    return originMs !== undefined && Math.abs(offsetMs - originMs) <= TOLERANCE_MS ? originMs : offsetMs;
  }

  #follow(monotonicMs: number): void {
    const elapsedMs = monotonicMs - this.#readAtMs;
    this.#readAtMs = monotonicMs;
    const aheadMs = monotonicMs + this.#offsetMs - this.#source.machineMs();
    if (aheadMs < -TOLERANCE_MS) this.#offsetMs -= aheadMs;
    else if (aheadMs > TOLERANCE_MS) this.#offsetMs -= Math.min(aheadMs, elapsedMs * SLEW);
  }
}

const processClock = new EpochClock();

/** Epoch time of what belongs to no room: reports, files. */
export const wallClockMs = (): number => processClock.now();

/** For moments of this process's monotonic clock. */
export const epochOfMonotonic = (monotonicMs: number): number => processClock.fromMonotonic(monotonicMs);
export const monotonicOfEpoch = (epochMs: number): number => processClock.toMonotonic(epochMs);

/** What the machine takes for the time just now, for what other machines compare with theirs. It may jump. */
export const machineClockMs = (): number => Date.now();
