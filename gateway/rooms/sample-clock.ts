import { epochMs, type EpochMs, samplesToMs } from '../../protocol/index.js';
import { wallClockMs } from '../clock.js';

/** Silence on the line after which the next frame may belong to a new moment instead of being late. */
const PAUSE_MS = 1000;
/** How long the soonest arrival is looked for before a slow drift is followed. */
const DRIFT_WINDOW_MS = 10_000;
/** What a client says of a moment differs from what arrivals say by the network's delays; by more than this it means a pause. */
const CLIENT_TOLERANCE_MS = 500;
const MAX_ANCHORS = 64;

/** From a place in the audio on: when sample 0 would have been spoken. */
interface Anchor {
  readonly fromSample: number;
  originMs: number;
  /** What comes was not spoken sooner than so: the speaker had paused. */
  readonly earliestOriginMs: number;
  /** Time passed before it, so nothing that was spoken reaches over it. */
  readonly followsPause: boolean;
}

/**
 * Converts a place in a speaker's audio to the moment it was spoken. The only such conversion.
 *
 * An anchor says when sample 0 would have been spoken. Networks only ever delay audio, so the soonest arrival is the
 * truest: an earlier one moves the anchor at once. After a pause on the line a new anchor is tried; if the audio was
 * merely stuck, the burst that follows pulls it back. After a pause that the speaker told of, it pulls it no further than to that
 * pause. A client clock that is slow is followed every ten seconds.
 */
export class SampleClock {
  readonly #now: () => number;
  readonly #anchors: Anchor[] = [];
  #lastArrivalMs = -Infinity;
  /** Of the pause before the audio to come, if the speaker told of one. */
  #pausedAtMs: number | undefined;
  #windowStartMs = 0;
  #windowSoonestMs = Infinity;

  /** `now`: epoch milliseconds. */
  constructor(now: () => number = wallClockMs) {
    this.#now = now;
  }

  /** Audio up to `endSample` arrived now. */
  arrived(endSample: number, firstSample: number): void {
    this.arrivedAt({ endSample, firstSample, arrivalMs: this.#now() });
  }

  arrivedAt(arrival: { endSample: number; firstSample: number; arrivalMs: number }): void {
    const { firstSample, arrivalMs } = arrival;
    const originMs = arrivalMs - samplesToMs(arrival.endSample);
    const current = this.#anchors.at(-1);
    const isAfterSilence = arrivalMs - this.#lastArrivalMs > PAUSE_MS;
    this.#lastArrivalMs = arrivalMs;
    const isLater = current === undefined || originMs > current.originMs;
    if (this.#pausedAtMs !== undefined || (isAfterSilence && isLater)) {
      const earliestOriginMs =
        this.#pausedAtMs === undefined ? -Infinity : this.#pausedAtMs - samplesToMs(firstSample);
      this.#anchor({ fromSample: firstSample, originMs, earliestOriginMs, followsPause: true });
      this.#startWindow(arrivalMs);
      return;
    }
    if (!isLater) this.#pullBack(originMs);
    this.#followDrift(arrival, originMs);
  }

  /** The speaker stopped: the audio that comes next is spoken after this. */
  paused(): void {
    this.#pausedAtMs = this.#now();
  }

  /** The client says that the audio from `sample` on was spoken so long ago. True when time has passed between it and what came before. */
  spoken(sample: number, behindMs: number): boolean {
    const nowMs = this.#now();
    const originMs = nowMs - behindMs - samplesToMs(sample);
    const current = this.#anchors.at(-1);
    const followsPause = current !== undefined && originMs > current.originMs + CLIENT_TOLERANCE_MS;
    if (current === undefined || followsPause) {
      const earliestOriginMs = current?.originMs ?? -Infinity;
      this.#anchor({ fromSample: sample, originMs, earliestOriginMs, followsPause });
      this.#startWindow(nowMs);
    } else if (originMs < current.originMs) this.#pullBack(originMs);
    // What follows is no new moment although nothing may have arrived for long.
    this.#lastArrivalMs = nowMs;
    return followsPause;
  }

  toEpochMs(sample: number): EpochMs {
    return this.#at(sample, this.#anchorOf(sample));
  }

  /** For what was spoken from `startSample` to `endSample`: all of it on one side of a pause, the one on which it ended. */
  spanToEpochMs(
    startSample: number,
    endSample: number,
  ): { readonly startMs: EpochMs; readonly endMs: EpochMs } {
    const anchor = this.#anchorOf(Math.max(startSample, endSample - 1));
    const isCut = anchor?.followsPause === true && startSample < anchor.fromSample;
    const first = isCut ? anchor.fromSample : startSample;
    const startMs = this.#at(first, isCut ? anchor : this.#anchorOf(first));
    const endMs = this.#at(endSample, anchor);
    return { startMs, endMs: endMs < startMs ? startMs : endMs };
  }

  #anchorOf(sample: number): Anchor | undefined {
    return this.#anchors.findLast(({ fromSample }) => fromSample <= sample) ?? this.#anchors[0];
  }

  #at(sample: number, anchor: Anchor | undefined): EpochMs {
    return epochMs(Math.round((anchor?.originMs ?? this.#now()) + samplesToMs(sample)));
  }

  /** Audio arrived sooner than thought possible, hence what came before it was spoken no later either. */
  #pullBack(originMs: number): void {
    for (const anchor of this.#anchors)
      anchor.originMs = Math.min(anchor.originMs, Math.max(originMs, anchor.earliestOriginMs));
  }

  #followDrift(arrival: { firstSample: number; arrivalMs: number }, originMs: number): void {
    this.#windowSoonestMs = Math.min(this.#windowSoonestMs, originMs);
    if (arrival.arrivalMs - this.#windowStartMs < DRIFT_WINDOW_MS) return;
    const current = this.#anchors.at(-1);
    if (current !== undefined && this.#windowSoonestMs > current.originMs) {
      this.#anchor({
        fromSample: arrival.firstSample,
        originMs: this.#windowSoonestMs,
        earliestOriginMs: current.earliestOriginMs,
        followsPause: false,
      });
    }
    this.#startWindow(arrival.arrivalMs);
  }

  #startWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#windowSoonestMs = Infinity;
  }

  /** Time does not run backwards along the audio. */
  #anchor(anchor: Anchor): void {
    this.#pausedAtMs = undefined;
    const originMs = Math.max(
      anchor.originMs,
      anchor.earliestOriginMs,
      this.#anchors.at(-1)?.originMs ?? -Infinity,
    );
    this.#anchors.push({ ...anchor, originMs });
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
  }
}
