import { CaptionError, KEPT_AUDIO_MS } from '../../protocol/index.js';

/** As much as a client keeps: `KEPT_AUDIO_MS` of `protocol/`. */
const MAX_REPLAY_MS = KEPT_AUDIO_MS;

/** How far one speaker's audio is ahead of real time, over all streams and connections of this speaker. */
export class AudioPace {
  readonly #maxAheadMs: number;
  readonly #now: () => number;
  /** Negative after a dropped connection, until what was missed has come. */
  #aheadMs = 0;
  #atMs: number;
  #replayedAtMs = -Infinity;

  constructor(options: { maxAheadMs: number; now: () => number }) {
    this.#maxAheadMs = options.maxAheadMs;
    this.#now = options.now;
    this.#atMs = options.now();
  }

  get isAtRest(): boolean {
    const nowMs = this.#now();
    return this.#aheadMs <= nowMs - this.#atMs && nowMs - this.#replayedAtMs >= MAX_REPLAY_MS;
  }

  /** What was missed, or is sent again, has not come yet. */
  get isCatchingUp(): boolean {
    return this.#aheadMs < 0;
  }

  /** What was said in these last milliseconds, without a connection, may come at once. */
  allowMissed(awayMs: number): void {
    const nowMs = this.#now();
    this.#pass(Math.max(0, nowMs - this.#atMs - awayMs));
    this.#atMs = nowMs;
    this.#aheadMs -= awayMs;
  }

  /**
   * What another gateway had heard and was not final when that one ended may come at once, from so long ago. Whoever says so again and
   * again gains no more than the time that passes meanwhile.
   */
  allowReplay(behindMs: number): void {
    const nowMs = this.#now();
    this.#pass(nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#aheadMs -= Math.min(behindMs, MAX_REPLAY_MS, nowMs - this.#replayedAtMs);
    this.#replayedAtMs = nowMs;
  }

  /** Audio has come. Throws CaptionError `audio_too_fast`. */
  take(durationMs: number): void {
    const nowMs = this.#now();
    this.#pass(nowMs - this.#atMs);
    this.#atMs = nowMs;
    if (this.#aheadMs + durationMs <= this.#maxAheadMs) {
      this.#aheadMs += durationMs;
      return;
    }
    throw new CaptionError(
      'audio_too_fast',
      `Audio ran ${Math.round(this.#maxAheadMs / 1000)} s ahead of real time. Send it at the pace of speech.`,
      { retryable: true },
    );
  }

  /** Whoever is ahead is so no more after a while; whoever has something to catch up may do so later. */
  #pass(elapsedMs: number): void {
    if (this.#aheadMs > 0) this.#aheadMs = Math.max(0, this.#aheadMs - elapsedMs);
  }
}
