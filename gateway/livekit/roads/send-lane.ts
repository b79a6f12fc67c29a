import { CaptionError, errorMessage } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { RoomOutlet } from '../room-outlet.js';
import type { RoadEvent } from './road.js';
import { detached } from '../../../asr/detached.js';

/** LiveKit's SDK answers within milliseconds, unless it waits for a connection that it has not yet given up. */
const SEND_DEADLINE_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2000;
/** Refusals in a row, on a connection that is there, after which one item is given up: 3 s with the pauses between them. */
const MAX_REFUSALS = 7;

/** What waits to be sent, under rules of its own: what is replaced, merged, or left out when it becomes too much. */
export interface LaneQueue<Item> {
  /** How many items wait. */
  readonly size: number;
  /** The next to be sent; undefined when nothing waits. */
  take(): Item | undefined;
  /** Was taken and perhaps not delivered: to be sent again, unless something newer stands for it. */
  putBack(item: Item): void;
  /** Was refused every time. */
  lost(item: Item): void;
  /** There is nobody to read what waits. */
  unread(): void;
  /** Nothing of it will ever be sent. */
  clear(): void;
}

export interface LaneOptions<Item> {
  readonly queue: LaneQueue<Item>;
  readonly send: (item: Item) => Promise<void>;
  readonly outlet: Pick<RoomOutlet, 'isConnected' | 'connected'>;
  /** Whether anything may be sent at the moment. Asked before every sending; `wake` the lane when it becomes true. */
  readonly isWanted: () => boolean;
  readonly observe: (event: RoadEvent) => void;
  readonly log: Logger;
  /** It has nothing to do. */
  readonly rested?: () => void;
}

type Outcome = 'sent' | 'failed' | 'refused';

/**
 * Sends one item after the other, the next when LiveKit has taken the one before; meanwhile the queue may replace what waits.
 *
 *   resting --wake--> sending --taken--> the next, or resting
 *                        |-- not taken, no connection --> waits for it --> puts the item back, goes on
 *                        |-- not taken, connection there --> pause --> the same, at most MAX_REFUSALS times
 */
export class SendLane<Item> {
  readonly #options: LaneOptions<Item>;
  #isRunning = false;
  #isClosed = false;
  #waiters: (() => void)[] = [];
  /** Ends a pause, or the waiting for LiveKit's answer: `close` was called. */
  #endWait: (() => void) | undefined;
  #failuresInARow = 0;
  /** Failures that the connection does not explain. */
  #refusalsInARow = 0;

  constructor(options: LaneOptions<Item>) {
    this.#options = options;
  }

  /** Something waits, or somebody reads again. */
  wake(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    detached('sending captions', this.#run());
  }

  /** Resolves when nothing waits, or nothing of it can be sent for now; at once after `close`. */
  async rest(): Promise<void> {
    if (!this.#isRunning) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Sends nothing more. What LiveKit has been given already may still arrive. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#options.queue.clear();
    this.#endWait?.();
    this.#rest();
  }

  async #run(): Promise<void> {
    try {
      while (await this.#step());
    } catch (error) {
      // Whoever wakes it next begins anew.
      this.#rest();
      throw error;
    }
  }

  /** False when it is over, which is noted at once: who wakes the lane from now on begins anew. */
  async #step(): Promise<boolean> {
    const { queue, outlet, isWanted } = this.#options;
    if (this.#isClosed) return false;
    // First of all: without a connection there are no readers either, and they may be back with it.
    if (!outlet.isConnected) {
      if (await this.#connectionIsBack()) return true;
      queue.clear();
      return this.#rest();
    }
    if (!isWanted()) {
      queue.unread();
      return this.#rest();
    }
    const item = queue.take();
    if (item === undefined) return this.#rest();
    await this.#settle(item, await this.#attempt(item));
    return true;
  }

  async #settle(item: Item, outcome: Outcome): Promise<void> {
    const { queue, outlet, observe } = this.#options;
    if (this.#isClosed) return;
    if (outcome === 'sent') {
      this.#failuresInARow = 0;
      this.#refusalsInARow = 0;
      observe('sent');
      return;
    }
    this.#failuresInARow += 1;
    this.#refusalsInARow = outlet.isConnected ? this.#refusalsInARow + 1 : 0;
    if (outcome === 'refused' || this.#refusalsInARow >= MAX_REFUSALS) {
      this.#refusalsInARow = 0;
      observe('lost');
      queue.lost(item);
      return;
    }
    observe('resent');
    queue.putBack(item);
    await this.#pause(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failuresInARow - 1)));
  }

  async #connectionIsBack(): Promise<boolean> {
    try {
      await this.#options.outlet.connected();
    } catch {
      return false;
    }
    // A connection that is announced and away again must not keep this loop from everybody else.
    if (!this.#options.outlet.isConnected) await this.#pause(FIRST_PAUSE_MS);
    return true;
  }

  async #attempt(item: Item): Promise<Outcome> {
    const { send, observe, log } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'failed'>((resolve) => {
      timer = setTimeout(() => {
        observe('late');
        resolve('failed');
      }, SEND_DEADLINE_MS);
      timer.unref();
      this.#endWait = () => resolve('failed');
    });
    try {
      return await Promise.race([send(item).then(() => 'sent' as const), late]);
    } catch (error) {
      const isRetryable = error instanceof CaptionError && error.retryable;
      if (!isRetryable) log.warn({ error: errorMessage(error) }, 'captions not sent');
      return isRetryable ? 'failed' : 'refused';
    } finally {
      clearTimeout(timer);
      this.#endWait = undefined;
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, pauseMs);
      timer.unref();
      this.#endWait = resolve;
    });
    clearTimeout(timer);
    this.#endWait = undefined;
  }

  #rest(): false {
    this.#isRunning = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
    if (!this.#isClosed) this.#options.rested?.();
    return false;
  }
}
