import type { RoomName } from '../../protocol/index.js';
import type { LatencyObserver } from './latency-observer.js';
import { type ShownWordMoments, wordLatency } from './word-latency.js';

/** Messages whose report is awaited; older ones are forgotten. */
const MAX_AWAITED = 512;
/** A room whose last report is older has no viewer that reports back. */
const REPORTS_WITHIN_MS = 30_000;
/** Words wait so long for the report on them, then they count without. */
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
  readonly #acknowledgedAtMs = new Map<number, number>();
  #lastReportAtMs = -Infinity;
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

  /** A viewer has message `seq` in its reducer. The first report on a message counts; one on anything else is ignored. */
  acknowledged(seq: number): void {
    if (!this.#publishedAtMs.has(seq) || this.#acknowledgedAtMs.has(seq)) return;
    this.#lastReportAtMs = this.#now();
    remember(this.#acknowledgedAtMs, seq, this.#lastReportAtMs);
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
    const isReportedOn = nowMs - this.#lastReportAtMs < REPORTS_WITHIN_MS;
    this.#waiting = this.#waiting.filter((word) => {
      const acknowledgedAtMs = this.#acknowledgedAtMs.get(word.seq);
      const mayCome = isReportedOn && nowMs - word.publishedAtMs < REPORT_DEADLINE_MS;
      if (acknowledgedAtMs === undefined && mayCome) return true;
      this.observer.word(this.room, wordLatency({ ...word, acknowledgedAtMs }));
      return false;
    });
  }
}

function remember(map: Map<number, number>, seq: number, atMs: number): void {
  map.set(seq, atMs);
  if (map.size <= MAX_AWAITED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
