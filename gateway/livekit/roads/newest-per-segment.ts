import type { SegmentId } from '../../../protocol/index.js';
import type { RoadEvent } from './road.js';
import type { LaneQueue } from './send-lane.js';

/** Finals of hours. */
const MAX_WAITING_SEGMENTS = 500;

/** The text of a segment at one moment. */
export interface SegmentText {
  readonly segment: SegmentId;
  readonly isFinal: boolean;
}

/** The newest text of every segment, in the order in which the segments began to wait; so no final is ever replaced. */
export class NewestPerSegment<Text extends SegmentText> implements LaneQueue<Text> {
  readonly #observe: (event: RoadEvent) => void;
  /** Setting a known key leaves it in its place. */
  #waiting = new Map<SegmentId, Text>();

  constructor(observe: (event: RoadEvent) => void) {
    this.#observe = observe;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(text: Text): void {
    if (this.#waiting.has(text.segment)) this.#observe('replaced');
    this.#waiting.set(text.segment, text);
    if (this.#waiting.size <= MAX_WAITING_SEGMENTS) return;
    this.take();
    this.#observe('dropped');
  }

  take(): Text | undefined {
    const [next] = this.#waiting.values();
    if (next !== undefined) this.#waiting.delete(next.segment);
    return next;
  }

  putBack(text: Text): void {
    if (this.#waiting.has(text.segment)) return;
    this.#waiting = new Map([[text.segment, text], ...this.#waiting]);
  }

  lost(): void {
    // The next text of the segment says everything again; after a final there is none.
  }

  unread(): void {
    this.clear();
  }

  clear(): void {
    this.#waiting.clear();
  }
}
