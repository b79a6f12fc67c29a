import { epochMs, type EpochMs, samplesToMs } from '../../protocol/index.js';

/** Silence on the line after which the next frame may belong to a new moment instead of being late. */
const PAUSE_MS = 1000;
/** How long the soonest arrival is looked for before a slow drift is followed. */
const DRIFT_WINDOW_MS = 10_000;
const MAX_ANCHORS = 64;

/**
 * Converts a place in a speaker's audio to the moment it was spoken. The only such conversion.
 *
 * An anchor says when sample 0 would have been spoken. Networks only ever delay audio, so the soonest arrival is the
 * truest: an earlier one moves the anchor at once. After a pause on the line a new anchor is tried; if the audio was
 * merely stuck, the burst that follows pulls it back. A client clock that is slow is followed every ten seconds.
 */
export class SampleClock {
  readonly #anchors: { fromSample: number; originMs: number }[] = [];
  #lastArrivalMs = -Infinity;
  #windowStartMs = 0;
  #windowSoonestMs = Infinity;

  /** Audio up to `endSample` arrived now. */
  arrived(endSample: number, firstSample: number): void {
    this.arrivedAt({ endSample, firstSample, arrivalMs: wallClockMs() });
  }

  arrivedAt(arrival: { endSample: number; firstSample: number; arrivalMs: number }): void {
    const originMs = arrival.arrivalMs - samplesToMs(arrival.endSample);
    const current = this.#anchors.at(-1);
    const isAfterPause = arrival.arrivalMs - this.#lastArrivalMs > PAUSE_MS;
    this.#lastArrivalMs = arrival.arrivalMs;
    if (current === undefined || (isAfterPause && originMs > current.originMs)) {
      this.#anchor(arrival.firstSample, originMs);
      this.#startWindow(arrival.arrivalMs);
      return;
    }
    if (originMs < current.originMs) this.#pullBack(originMs);
    this.#followDrift(arrival, originMs);
  }

  toEpochMs(sample: number): EpochMs {
    const anchor = this.#anchors.findLast((candidate) => candidate.fromSample <= sample) ?? this.#anchors[0];
    return epochMs(Math.round((anchor?.originMs ?? wallClockMs()) + samplesToMs(sample)));
  }

  /** Audio arrived sooner than thought possible, hence what came before it was spoken no later either. */
  #pullBack(originMs: number): void {
    for (const anchor of this.#anchors) anchor.originMs = Math.min(anchor.originMs, originMs);
  }

  #followDrift(arrival: { firstSample: number; arrivalMs: number }, originMs: number): void {
    this.#windowSoonestMs = Math.min(this.#windowSoonestMs, originMs);
    if (arrival.arrivalMs - this.#windowStartMs < DRIFT_WINDOW_MS) return;
    const current = this.#anchors.at(-1);
    if (current !== undefined && this.#windowSoonestMs > current.originMs) {
      this.#anchor(arrival.firstSample, this.#windowSoonestMs);
    }
    this.#startWindow(arrival.arrivalMs);
  }

  #startWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#windowSoonestMs = Infinity;
  }

  #anchor(fromSample: number, originMs: number): void {
    this.#anchors.push({ fromSample, originMs });
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
  }
}

/** Unix time that never steps back within this process. */
export const wallClockMs = (): number => performance.timeOrigin + performance.now();
