import type { AsrEvent } from '../engine.js';

/**
 * Events of one stream for one reader. Bounded by coalescing: an unread version of a segment is replaced by the next version
 * of it, so there is at most one entry per segment and gap, and both need seconds of audio to arise.
 */
export class EventQueue implements AsyncIterable<AsrEvent> {
  #events: AsrEvent[] = [];
  #isClosed = false;
  #coalesced = 0;
  #resolveEnded: () => void = () => undefined;
  /** Resolves when the last event is there to be read. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnded = resolve));
  #waiting: (() => void)[] = [];

  /** Events that nobody has read yet. */
  get waiting(): number {
    return this.#events.length;
  }

  /** Versions of segments that nobody read before the next one came. */
  get coalesced(): number {
    return this.#coalesced;
  }

  /** Something that nothing replaces waits to be read: a final or a gap. */
  get holdsFinal(): boolean {
    return this.#events.some((event) => event.kind === 'gap' || event.isFinal);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  push(event: AsrEvent): void {
    if (this.#isClosed) return;
    const unread = this.#events.findLastIndex((earlier) => isOfSameSegment(earlier, event));
    if (unread === -1) this.#events.push(event);
    else {
      this.#events[unread] = event;
      this.#coalesced += 1;
    }
    this.#wake();
  }

  /** What is queued can still be read. */
  close(): void {
    this.#isClosed = true;
    this.#resolveEnded();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Ends with the queue, or with `return()`, also while it waits. */
  [Symbol.asyncIterator](): AsyncIterableIterator<AsrEvent, undefined> {
    let isReturned = false;
    const next = async (): Promise<IteratorResult<AsrEvent, undefined>> => {
      for (;;) {
        const event = isReturned ? undefined : this.#events.shift();
        if (event !== undefined) return { done: false, value: event };
        if (isReturned || this.#isClosed) return { done: true, value: undefined };
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    return {
      next,
      return: () => {
        isReturned = true;
        this.#wake();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

const isOfSameSegment = (a: AsrEvent, b: AsrEvent): boolean =>
  a.kind === 'segment' && b.kind === 'segment' && a.segment === b.segment;
