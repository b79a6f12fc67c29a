/**
 * How often and how daringly to look at chunks that are not full yet. Often: as far as the CPU goes that decoding for good
 * leaves. Daringly: the fewer frames of the newest audio are left out ("slack"), the earlier words show and the more of them
 * change; the slack follows the share of words that did.
 */
import { msToSamples } from '../../protocol/index.js';

/** Shortest first. Measured on 37 clips: 80 ms shows words as early as 40 ms at half the cost, but for the 5 % latest. */
const INTERVALS_MS = [40, 80, 120, 160, 240];
/** Share of one core that decoding and looking ahead may take together; the rest is for what comes at short notice. */
const MAX_LOAD = 0.7;
/** Weight of the newest value in running estimates. */
const SMOOTHING = 0.2;
const LOAD_WINDOW_MS = 500;
const INITIAL_LOOK_MS = 5;
const INITIAL_SLACK_FRAMES = 9;
const MIN_SLACK_FRAMES = 4;
const MAX_SLACK_FRAMES = 30;
/** Words after which the slack is looked at again. */
const WORDS_PER_STEP = 40;

/** One call of the recogniser, over so many streams. */
export interface PacedCall {
  readonly callMs: number;
  readonly streams: number;
  /** When it ended. */
  readonly nowMs: number;
}

export class SpeculationPace {
  readonly #changedWordsAllowed: number;
  #slackFrames = INITIAL_SLACK_FRAMES;
  #changedWords = 0;
  #words = 0;
  /** What a look at one stream costs at the batch sizes that happen, streams included that turn out to need none. */
  #lookMs = INITIAL_LOOK_MS;
  #decodeLoad = 0;
  #openStreams = 0;
  #intervalMs: number | undefined;
  #windowStartMs = 0;
  #decodeMsInWindow = 0;
  #lookMsInWindow = 0;

  /** `changedWordsAllowed`: per word said. */
  constructor(changedWordsAllowed: number) {
    this.#changedWordsAllowed = changedWordsAllowed;
  }

  /** Feature frames (10 ms) of the newest audio whose words are not told yet. */
  get slackFrames(): number {
    return this.#slackFrames;
  }

  /** New audio that a stream must have for another look; undefined while there is no CPU for any. */
  intervalSamples(openStreams: number): number | undefined {
    if (this.#changedWordsAllowed === 0) return undefined;
    this.#openStreams = openStreams;
    const spare = MAX_LOAD - this.#decodeLoad;
    this.#intervalMs = INTERVALS_MS.find((ms) => (openStreams * this.#lookMs) / ms <= spare);
    return this.#intervalMs === undefined ? undefined : msToSamples(this.#intervalMs);
  }

  /** A call that decoded for good. */
  noteDecoding({ callMs, streams, nowMs }: PacedCall): void {
    // It costs as much as a look, and tells when looks, off for a while, are cheap again.
    if (streams > 0 && this.#intervalMs === undefined) this.#estimate(callMs / streams);
    this.#decodeMsInWindow += callMs;
    this.#endWindow(nowMs);
  }

  noteLook({ callMs, nowMs }: PacedCall): void {
    this.#lookMsInWindow += callMs;
    this.#endWindow(nowMs);
  }

  #endWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < LOAD_WINDOW_MS) return;
    this.#decodeLoad = this.#decodeMsInWindow / elapsedMs;
    const looks = (this.#openStreams * elapsedMs) / (this.#intervalMs ?? Infinity);
    // A window that lasted long was one in which little was said.
    if (looks > 0 && elapsedMs < 2 * LOAD_WINDOW_MS) this.#estimate(this.#lookMsInWindow / looks);
    this.#decodeMsInWindow = 0;
    this.#lookMsInWindow = 0;
    this.#windowStartMs = nowMs;
  }

  #estimate(lookMs: number): void {
    this.#lookMs += SMOOTHING * (lookMs - this.#lookMs);
  }

  /** So many words were said for good, and so many that had been shown changed. */
  noteWords(said: number, changed: number): void {
    this.#words += said;
    this.#changedWords += changed;
    if (this.#words < WORDS_PER_STEP) return;
    const share = this.#changedWords / this.#words;
    if (share > 0.9 * this.#changedWordsAllowed) this.#slackFrames += 2;
    else if (share < 0.5 * this.#changedWordsAllowed) this.#slackFrames -= 1;
    this.#slackFrames = Math.min(MAX_SLACK_FRAMES, Math.max(MIN_SLACK_FRAMES, this.#slackFrames));
    this.#words = 0;
    this.#changedWords = 0;
  }
}

/** Words of `before` that are not there any more in `after`, or became others; a word that grew did not change. */
export function countChangedWords(before: string, after: string): number {
  if (before === '' || after.startsWith(before)) return 0;
  const words = after.split(' ');
  return before.split(' ').filter((word, index) => !(words[index]?.startsWith(word) ?? word === '')).length;
}
