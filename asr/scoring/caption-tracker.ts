/**
 * Watches the captions of one speaker as a viewer sees them develop, and tells afterwards when each word was shown and how
 * much was revised. Words are compared by `wordKey`: a capital or a full stop that comes or goes is no change.
 *
 * Definitions:
 * - A word is *first shown* when it first stands at its final place in its segment with its final text, even if it was
 *   something else again for a while; it is *stable* since it has stood there without a break (word emission delay and
 *   stable-word delay count from these).
 * - A shown word *changed* when the next revision has, at its place, nothing, or a word that does not begin with it. A word
 *   that grows ("for" to "forest") did not change. Each such event counts, as in UPWR (Shangguan 2020, arXiv 2006.01416):
 *   unstable words over final words.
 * - A revision is *not a prefix extension* when at least one word changed. UPSR: such revisions over segments.
 */
import { wordKey } from './words.js';

/** A word as it is shown. Times on any one clock; they are passed through. */
export interface ShownWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** The whole of one segment at one moment. */
export interface CaptionObservation {
  readonly segment: string;
  readonly words: readonly ShownWord[];
  readonly isFinal: boolean;
  /** Never smaller than in the observation before. For latencies: on the clock of the words' times. */
  readonly nowMs: number;
}

export interface TrackedWord extends ShownWord {
  readonly firstShownMs: number;
  readonly stableSinceMs: number;
  readonly segment: string;
  /** When its segment became final; null while it is not. */
  readonly finalAtMs: number | null;
}

export interface TrackedSegment {
  readonly segment: string;
  /** First revision with a word in it; null when there was none. */
  readonly firstShownMs: number | null;
  readonly finalAtMs: number | null;
  readonly text: string;
}

export interface TrackingResult {
  /** The words of the last revision of every segment; segments in the order in which they were first observed. */
  readonly words: readonly TrackedWord[];
  readonly segments: readonly TrackedSegment[];
  readonly changedWords: number;
  readonly partialsNotPrefix: number;
  /** changedWords / words; null without words. */
  readonly upwr: number | null;
  /** partialsNotPrefix / segments; null without segments. */
  readonly upsr: number | null;
}

export class WordTracker {
  readonly #segments = new Map<string, SegmentHistory>();
  #changedWords = 0;
  #partialsNotPrefix = 0;

  /** The state of a segment after a revision. Repetitions change nothing; what follows a final revision is ignored. */
  observe(observation: CaptionObservation): void {
    const history = this.#segments.get(observation.segment) ?? new SegmentHistory();
    this.#segments.set(observation.segment, history);
    const changed = history.observe(observation);
    this.#changedWords += changed;
    if (changed > 0) this.#partialsNotPrefix += 1;
  }

  /** What is known by now; observing may go on. */
  result(): TrackingResult {
    const histories = [...this.#segments];
    const words = histories.flatMap(([segment, history]) => history.words(segment));
    return {
      words,
      segments: histories.map(([segment, history]) => history.summary(segment)),
      changedWords: this.#changedWords,
      partialsNotPrefix: this.#partialsNotPrefix,
      upwr: ratio(this.#changedWords, words.length),
      upsr: ratio(this.#partialsNotPrefix, histories.length),
    };
  }
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** What has stood at one place of a segment. */
interface Place {
  /** When each text, by its key, first stood here. */
  readonly firstShownMs: Map<string, number>;
  /** What stands here now; undefined when the segment has become shorter. */
  key: string | undefined;
  sinceMs: number;
}

class SegmentHistory {
  readonly #places: Place[] = [];
  #words: readonly ShownWord[] = [];
  #firstShownMs: number | null = null;
  #finalAtMs: number | null = null;

  /** Returns how many shown words changed. */
  observe({ words, isFinal, nowMs }: CaptionObservation): number {
    if (this.#finalAtMs !== null) return 0;
    if (words.length > 0) this.#firstShownMs ??= nowMs;
    if (isFinal) this.#finalAtMs = nowMs;
    this.#words = words;
    const keys = words.map((word) => wordKey(word.text));
    while (this.#places.length < keys.length) {
      this.#places.push({ firstShownMs: new Map(), key: undefined, sinceMs: nowMs });
    }
    return this.#places.filter((place, index) => update(place, keys[index], nowMs)).length;
  }

  words(segment: string): TrackedWord[] {
    return this.#words.flatMap(({ text, startMs, endMs }, index) => {
      const place = this.#places[index];
      if (place?.key === undefined) return [];
      const stableSinceMs = place.sinceMs;
      const firstShownMs = place.firstShownMs.get(place.key) ?? stableSinceMs;
      return [{ text, startMs, endMs, firstShownMs, stableSinceMs, segment, finalAtMs: this.#finalAtMs }];
    });
  }

  summary(segment: string): TrackedSegment {
    return {
      segment,
      firstShownMs: this.#firstShownMs,
      finalAtMs: this.#finalAtMs,
      text: this.#words.map((word) => word.text).join(' '),
    };
  }
}

/** Puts `key` at the place; true when the word that stood there changed. */
function update(place: Place, key: string | undefined, nowMs: number): boolean {
  const before = place.key;
  if (before === key) return false;
  place.key = key;
  place.sinceMs = nowMs;
  if (key !== undefined && !place.firstShownMs.has(key)) place.firstShownMs.set(key, nowMs);
  return before !== undefined && !(key?.startsWith(before) ?? false);
}
