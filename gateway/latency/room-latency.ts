import type { RoomName } from '../../protocol/index.js';
import type { LatencyObserver } from './latency-observer.js';
import { type ShownWordMoments, wordLatency } from './word-latency.js';

/** Messages whose report is awaited; older ones are forgotten. */
const MAX_AWAITED = 512;
/** Viewers whose last report is older do not report back any more. */
const REPORTS_WITHIN_MS = 30_000;
/** More viewers of a room than this have no vote; an endless number of them could not be awaited. */
const MAX_VOTERS = 32;
/** Words wait so long for the reports on them, then those count that came. */
const REPORT_DEADLINE_MS = 2000;

/** A word of a final, and the message that first showed it. */
export interface ToldWord extends ShownWordMoments {
  readonly seq: number;
}

/** What one room measures. Needs no closing: words that wait for a report are told with the next call after their deadline. */
export class RoomLatency {
  readonly room: RoomName;
  readonly observer: LatencyObserver;
  readonly #now: () => number;
  /** When each of the last messages was published, by `seq`. */
  readonly #publishedAtMs = new Map<number, number>();
  /** When each viewer had each of the last messages, by `seq`. */
  readonly #votes = new Map<number, Map<string, number>>();
  /** When each viewer reported last. */
  readonly #reportedAtMs = new Map<string, number>();
  #waiting: ToldWord[] = [];

  constructor(options: { room: RoomName; observer: LatencyObserver; now: () => number }) {
    this.room = options.room;
    this.observer = options.observer;
    this.#now = options.now;
  }

  /** Message `seq` was handed to everybody. */
  published(seq: number, atMs: number): void {
    remember(this.#publishedAtMs, seq, atMs);
    this.#tellWaiting();
  }

  /**
   * A viewer has message `seq` in its reducer. Anybody who may see the captions can say so, whether it is true or not: each
   * `viewer`, an identity that others cannot take, has one vote for a message, and the median of them counts. Reports on anything
   * else are ignored.
   */
  acknowledged(seq: number, viewer: string): void {
    const votes = this.#votes.get(seq) ?? new Map<string, number>();
    if (!this.#publishedAtMs.has(seq) || votes.has(viewer)) return;
    const nowMs = this.#now();
    this.#forgetSilent(nowMs);
    if (!this.#reportedAtMs.has(viewer) && this.#reportedAtMs.size >= MAX_VOTERS) return;
    this.#reportedAtMs.set(viewer, nowMs);
    votes.set(viewer, nowMs);
    remember(this.#votes, seq, votes);
    this.#tellWaiting();
  }

  /** A segment is final: its words count. */
  words(words: readonly ToldWord[]): void {
    this.#waiting.push(...words);
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return;
    const nowMs = this.#now();
    this.#forgetSilent(nowMs);
    this.#waiting = this.#waiting.filter((word) => {
      const votes = [...(this.#votes.get(word.seq)?.values() ?? [])];
      const mayCome =
        votes.length < this.#reportedAtMs.size && nowMs - word.publishedAtMs < REPORT_DEADLINE_MS;
      if (mayCome) return true;
      this.observer.word(this.room, wordLatency({ ...word, acknowledgedAtMs: lowerMedian(votes) }));
      return false;
    });
  }

  #forgetSilent(nowMs: number): void {
    for (const [viewer, atMs] of this.#reportedAtMs)
      if (nowMs - atMs >= REPORTS_WITHIN_MS) this.#reportedAtMs.delete(viewer);
  }
}

/** The lower of the two in the middle, where there are two: one viewer who reports late changes nothing for the other. */
const lowerMedian = (values: readonly number[]): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function remember<Value>(map: Map<number, Value>, seq: number, value: Value): void {
  map.set(seq, value);
  if (map.size <= MAX_AWAITED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
