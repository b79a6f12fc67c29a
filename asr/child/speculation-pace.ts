/**
 * How often and how daringly to look at chunks that are not full yet. Often: as far as the CPU goes that decoding for good
 * leaves. Daringly: the fewer frames of the newest audio are left out ("slack"), the earlier words show and the more of them
 * change; the slack follows the share of words that did.
 */
import { msToSamples } from '../../protocol/index.js';

/**
 * How much audio, not told of yet, is worth a look; how often there is so much (with chunks of 320 ms a look that would come
 * shortly before its chunk is whole is left to the decoding); and the slack to begin with. Most often first.
 *
 * A look is due when it can tell of more, not when more was heard: with the slack, that is another moment. Seldom and daring looks
 * show words earlier than frequent and careful ones of as many changes, because what is looked at seldom is seldom wrong. On 15
 * clips (194 words), audio time from the end of a word until it shows:
 *
 *     every   slack  mean    p95   words changed  looks per second of speech
 *     40 ms      11   238    390           0.052  25
 *     80 ms       5   206    350           0.046  12.6
 *     120 ms      1   220    400           0.031   6.4
 *     200 ms      0   261    430           0.031   3.3
 */
export const PACES = [
  { untoldMs: 80, everyMs: 80, slackFrames: 5 },
  { untoldMs: 120, everyMs: 160, slackFrames: 1 },
  { untoldMs: 200, everyMs: 320, slackFrames: 0 },
] as const;
/**
 * With many speakers a look only fills up a call that decodes anyway: such a call costs 4.7 ms and 3.1 ms for each stream in it, so
 * that a look costs 3.1 ms there and 7.8 ms in a call of its own (40 people connected, default model, a busy machine's cold caches
 * included). Seldom as they are, nothing need be left out of them. With 40 people that brought the median word from 480 to 400 to
 * 420 ms after its end, at 0.48 instead of 0.46 cores.
 */
export const RIDE = { untoldMs: 80, everyMs: Infinity, slackFrames: 0 } as const;
/** Share of one core that decoding and looking ahead may take together; the rest is for what comes at short notice. */
const MAX_LOAD = 0.7;
/** Weight of the newest value in running estimates. */
const SMOOTHING = 0.2;
const LOAD_WINDOW_MS = 500;
const INITIAL_LOOK_MS = 5;
const MAX_SLACK_FRAMES = 30;
/** Words after which the slack is looked at again, … */
const WORDS_PER_STEP = 40;
/**
 * … by a running share, because 40 words at 4 % have no change in every fifth case and two or more in every second: judged by these alone the
 * slack rose until 2 % changed, and words came 30 to 50 ms later after five minutes than at first.
 */
const SHARE_SMOOTHING = 0.35;
/** As parts of what is allowed: where the slack is left alone. */
const WELL_USED = [0.55, 0.8] as const;

/** One call of the recogniser. */
export interface PacedCall {
  readonly callMs: number;
  /** Streams that were decoded for good. */
  readonly decoded: number;
  /** Streams that were looked at. */
  readonly looked: number;
  /** When it ended. */
  readonly nowMs: number;
}

/** The slack of one pace, and what became of the words since it was looked at last. */
interface Daring {
  readonly pace: (typeof PACES)[number] | typeof RIDE;
  slackFrames: number;
  words: number;
  changedWords: number;
  /** Of changed words, running. */
  share: number;
}

export class SpeculationPace {
  readonly #changedWordsAllowed: number;
  readonly #darings: readonly [Daring, ...Daring[]];
  readonly #riding: Daring;
  /** What a look at one stream costs at the batch sizes that happen, streams included that turn out to need none. */
  #lookMs = INITIAL_LOOK_MS;
  #decodeLoad = 0;
  #load = 0;
  #openStreams = 0;
  #current: Daring | undefined;
  #windowStartMs = 0;
  #decodeMsInWindow = 0;
  #lookMsInWindow = 0;

  /** `changedWordsAllowed`: per word said. */
  constructor(changedWordsAllowed: number) {
    this.#changedWordsAllowed = changedWordsAllowed;
    const daring = (pace: Daring['pace']): Daring => ({
      pace,
      slackFrames: pace.slackFrames,
      words: 0,
      changedWords: 0,
      share: ((WELL_USED[0] + WELL_USED[1]) / 2) * changedWordsAllowed,
    });
    const [first, ...others] = PACES;
    this.#darings = [daring(first), ...others.map(daring)];
    this.#riding = daring(RIDE);
  }

  /** Feature frames (10 ms) of the newest audio whose words are not told yet. */
  get slackFrames(): number {
    return (this.#current ?? this.#darings[0]).slackFrames;
  }

  /** As `untoldSamples`, where looks are taken only in calls that decode. */
  untoldSamplesOfRiders(): number | undefined {
    if (this.#changedWordsAllowed === 0) return undefined;
    this.#current = this.#load > MAX_LOAD ? undefined : this.#riding;
    return this.#current === undefined ? undefined : msToSamples(this.#current.pace.untoldMs);
  }

  /** Audio to tell of that a stream must have for another look; undefined while there is no CPU for any. */
  untoldSamples(openStreams: number): number | undefined {
    if (this.#changedWordsAllowed === 0) return undefined;
    this.#openStreams = openStreams;
    const spare = MAX_LOAD - this.#decodeLoad;
    this.#current = this.#darings.find(({ pace }) => (openStreams * this.#lookMs) / pace.everyMs <= spare);
    return this.#current === undefined ? undefined : msToSamples(this.#current.pace.untoldMs);
  }

  get #everyMs(): number {
    return this.#current?.pace.everyMs ?? Infinity;
  }

  noteCall({ callMs, decoded, looked, nowMs }: PacedCall): void {
    const streams = decoded + looked;
    if (streams > 0) {
      // Decoding costs as much as a look, and tells what looks would cost that are off, or have no calls of their own.
      if (this.#everyMs === Infinity) this.#estimate(callMs / streams);
      this.#decodeMsInWindow += (callMs * decoded) / streams;
      this.#lookMsInWindow += (callMs * looked) / streams;
    }
    this.#endWindow(nowMs);
  }

  #endWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < LOAD_WINDOW_MS) return;
    this.#decodeLoad = this.#decodeMsInWindow / elapsedMs;
    this.#load = this.#decodeLoad + this.#lookMsInWindow / elapsedMs;
    const looks = (this.#openStreams * elapsedMs) / this.#everyMs;
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
    const daring = this.#current;
    // Words that nobody looked at tell nothing.
    if (daring === undefined) return;
    daring.words += said;
    daring.changedWords += changed;
    if (daring.words < WORDS_PER_STEP) return;
    daring.share += SHARE_SMOOTHING * (daring.changedWords / daring.words - daring.share);
    const [low, high] = WELL_USED;
    if (daring.share > high * this.#changedWordsAllowed) daring.slackFrames += 1;
    else if (daring.share < low * this.#changedWordsAllowed) daring.slackFrames -= 1;
    daring.slackFrames = Math.min(MAX_SLACK_FRAMES, Math.max(0, daring.slackFrames));
    daring.words = 0;
    daring.changedWords = 0;
  }
}

/** Words of `before` that are not there any more in `after`, or became others; a word that grew did not change. */
export function countChangedWords(before: string, after: string): number {
  if (before === '' || after.startsWith(before)) return 0;
  const words = after.split(' ');
  return before.split(' ').filter((word, index) => !(words[index]?.startsWith(word) ?? word === '')).length;
}
