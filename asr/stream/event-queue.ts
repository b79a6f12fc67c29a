import type { AsrEvent } from '../engine.js';

/**
 * Events of one stream for one reader. Bounded by coalescing: an unread version of an open segment is replaced by the
 * next version of it, so there is at most one entry per segment and gap, and both need seconds of audio to arise.
 */
export class EventQueue implements AsyncIterable<AsrEvent> {
  #events: AsrEvent[] = [];
  #isClosed = false;
  #resolveEnded: () => void = () => undefined;
  /** Resolves when the last event is there to be read. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnded = resolve));
  #wake: (() => void) | undefined;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  push(event: AsrEvent): void {
    if (this.#isClosed) return;
    const last = this.#events.at(-1);
    const replacesLast = event.kind === 'segment' && last?.kind === 'segment' && last.segment === event.segment;
    if (replacesLast) this.#events.pop();
    this.#events.push(event);
    this.#wake?.();
  }

  /** What is queued can still be read. */
  close(): void {
    this.#isClosed = true;
    this.#resolveEnded();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AsrEvent, void, undefined> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
