import { type SegmentEvent, wordKey, type WordMoments } from '../../asr/index.js';
import type { RoomLatency, ToldWord } from './room-latency.js';

/** Where a word stands in a segment, and since when. */
interface Place {
  readonly text: string;
  readonly key: string;
  readonly moments: WordMoments;
  readonly seq: number;
  readonly publishedAtMs: number;
}

/** Follows the segments of one speaker from their first word to their final. */
export class SpeakerLatency {
  readonly #room: RoomLatency;
  readonly #spokenAtMs: (sample: number) => number;
  readonly #open = new Map<number, readonly Place[]>();

  /** `spokenAtMs`: when a place in the audio was spoken, in monotonic milliseconds. */
  constructor(options: { room: RoomLatency; spokenAtMs: (sample: number) => number }) {
    this.#room = options.room;
    this.#spokenAtMs = options.spokenAtMs;
  }

  /** This version of a segment was published with message `seq`. Capitals and full stops that come or go are no change. */
  published(event: SegmentEvent, message: { seq: number; atMs: number }): void {
    const { moments, words } = event;
    if (moments === undefined) return;
    const { room, observer } = this.#room;
    this.#room.published(message.seq, message.atMs);
    const before = this.#open.get(event.segment);
    const places = words.flatMap(({ text }, index): Place[] => {
      const known = before?.[index];
      // Most words of a version are those of the version before; normalising them again would be most of the cost.
      if (known?.text === text) return [known];
      const key = wordKey(text);
      const own = moments[index];
      if (known?.key === key) return [{ ...known, text }];
      return own === undefined
        ? []
        : [{ text, key, moments: own, seq: message.seq, publishedAtMs: message.atMs }];
    });
    const revised = (before ?? []).filter(({ key }, index) => places[index]?.key.startsWith(key) !== true);
    if (revised.length > 0) observer.revised(room, revised.length);
    const first = words[0];
    if ((before ?? []).length === 0 && first !== undefined) {
      const atMs = this.#spokenAtMs(first.startSample);
      observer.firstPartial(room, { atMs, latencyMs: Math.max(0, message.atMs - atMs) });
    }
    if (event.isFinal) this.#finish(event, { places, atMs: message.atMs });
    else this.#open.set(event.segment, places);
  }

  #finish(event: SegmentEvent, { places, atMs }: { places: readonly Place[]; atMs: number }): void {
    const { room, observer } = this.#room;
    this.#open.delete(event.segment);
    const last = event.words.at(-1);
    if (last !== undefined) {
      const endedAtMs = this.#spokenAtMs(last.endSample);
      observer.final(room, { atMs: endedAtMs, latencyMs: Math.max(0, atMs - endedAtMs) });
    }
    this.#room.words(
      places.map((place): ToldWord => {
        const { moments, seq, publishedAtMs } = place;
        return { spokenAtMs: this.#spokenAtMs(moments.endSample), moments, seq, publishedAtMs };
      }),
    );
  }
}
