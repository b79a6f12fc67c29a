import type { CaptionedWord, SegmentEvent } from '../engine.js';
import type { Hypothesis } from '../token.js';
import { SampleStamps } from './sample-stamps.js';
import type { WordMoments } from './word-moments.js';

/** Stamps the words of one segment when they come up. */
export class WordTrace {
  readonly #arrivals: SampleStamps;
  readonly #now: () => number;
  readonly #handed = new SampleStamps();
  #finishedAtMs = -Infinity;
  #decoded = { atMs: 0, callMs: 0, fedAtMs: 0 };
  #words: readonly CaptionedWord[] = [];
  #moments: readonly WordMoments[] = [];

  /** `arrivals`: when the stream's audio was received. */
  constructor(options: { arrivals: SampleStamps; now: () => number }) {
    this.#arrivals = options.arrivals;
    this.#now = options.now;
  }

  /** All audio before `endSample` was handed to the recogniser. */
  handed(endSample: number): void {
    this.#handed.add(endSample, this.#now());
  }

  /** No more audio follows. */
  finished(): void {
    if (this.#finishedAtMs === -Infinity) this.#finishedAtMs = this.#now();
  }

  heard({
    decodedThroughSample,
    heardThroughSample = decodedThroughSample,
    isFinal,
    callMs,
  }: Hypothesis): void {
    const atMs = this.#now();
    const fedAtMs = Math.max(
      this.#handed.timeOf(heardThroughSample) ?? atMs,
      isFinal ? this.#finishedAtMs : -Infinity,
    );
    this.#decoded = { atMs, callMs: callMs ?? 0, fedAtMs };
  }

  /** The event with the moments of its words; a word that was told before keeps its own. */
  stamped(event: SegmentEvent): SegmentEvent {
    const before = this.#words;
    const segmentedAtMs = this.#now();
    this.#moments = event.words.map((word, index) => {
      const known = before[index]?.text === word.text ? this.#moments[index] : undefined;
      return known ?? this.#momentsOf(word.endSample, segmentedAtMs);
    });
    this.#words = event.words;
    return { ...event, moments: this.#moments };
  }

  #momentsOf(endSample: number, segmentedAtMs: number): WordMoments {
    const { atMs: decodedAtMs, callMs, fedAtMs: allFedAtMs } = this.#decoded;
    const arrivedAtMs = Math.min(this.#arrivals.timeOf(endSample) ?? decodedAtMs, decodedAtMs);
    const gatedAtMs = within(this.#handed.timeOf(endSample) ?? arrivedAtMs, arrivedAtMs, decodedAtMs);
    const fedAtMs = within(allFedAtMs, gatedAtMs, decodedAtMs);
    const decodeMs = Math.min(callMs, decodedAtMs - fedAtMs);
    return { endSample, arrivedAtMs, gatedAtMs, fedAtMs, decodedAtMs, decodeMs, segmentedAtMs };
  }
}

const within = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
