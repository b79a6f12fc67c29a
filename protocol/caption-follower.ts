/** The contract on a road without connections of its own: messages in, and requests for a snapshot out when something is missing. */
import { type CaptionState, initialState, resyncMessage } from './caption-state.js';
import type { CaptionMessage } from './caption.js';
import { decodeMessage, encodeMessage } from './codec.js';
import { CaptionError } from './errors.js';
import { receiveMessage } from './reducer.js';
import type { RoomName } from './units.js';

/** Node and browsers have both as globals; neither is in TypeScript's ES2023. */
type Timer = object | number;
declare const setTimeout: (done: () => void, delayMs: number) => Timer;
declare const clearTimeout: (timer: Timer | undefined) => void;

/** A hole that reordering has not closed after this is worth a snapshot. */
const RESYNC_AFTER_MS = 200;
/** An unanswered request is repeated, less and less often: perhaps nobody captions the room. */
const FIRST_REPEAT_MS = 1000;
const LAST_REPEAT_MS = 10_000;

export interface CaptionFollowerOptions {
  readonly room: RoomName;
  readonly changed: (state: CaptionState, message: CaptionMessage) => void;
  /** Sends a request; one that is lost is repeated. */
  readonly ask: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Sends word that a delta is shown; absent where nobody wants to measure. */
  readonly report?: ((bytes: Uint8Array) => void) | undefined;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: CaptionError) => void;
}

/** Nothing is asked for before the first `ask`. `close` it. */
export class CaptionFollower {
  readonly #options: CaptionFollowerOptions;
  #state: CaptionState;
  #received = { messages: 0, bytes: 0, undecodable: 0 };
  #resyncs = 0;
  #timer: Timer | undefined;
  #repeatMs = FIRST_REPEAT_MS;
  #closedBecause: string | undefined;
  #settleWaiters: Waiter[] = [];
  #readyWaiter: Waiter | undefined;
  /** Resolves when nothing is missing for the first time; rejects with CaptionError `connection_closed` when it is closed before. */
  readonly ready: Promise<void>;

  constructor(options: CaptionFollowerOptions) {
    this.#options = options;
    this.#state = initialState(options.room);
    this.ready = new Promise((resolve, reject) => (this.#readyWaiter = { resolve, reject }));
    // Whoever does not await it is not to be ended by an unhandled rejection.
    this.ready.catch(() => undefined);
  }

  get state(): CaptionState {
    return this.#state;
  }

  get received(): Readonly<{ messages: number; bytes: number; undecodable: number }> {
    return this.#received;
  }

  get resyncs(): number {
    return this.#resyncs;
  }

  /** Whether `receive` would change what is known. */
  isNews(bytes: Uint8Array): boolean {
    try {
      const message = decodeMessage(bytes);
      return message !== undefined && receiveMessage(this.#state, message, Date.now()) !== this.#state;
    } catch {
      return false;
    }
  }

  /** Anybody in a room can send on the topic: what cannot be read is counted and left aside. */
  receive(bytes: Uint8Array): void {
    if (this.#closedBecause !== undefined) return;
    const message = this.#decode(bytes);
    if (message === undefined) return;
    this.#received = {
      ...this.#received,
      messages: this.#received.messages + 1,
      bytes: this.#received.bytes + bytes.length,
    };
    const next = receiveMessage(this.#state, message, Date.now());
    if (next !== this.#state) {
      this.#state = next;
      this.#options.changed(next, message);
      this.#report(message);
    }
    if (next.needsResync) this.#timer ??= setTimeout(() => this.#askIfNeeded(), RESYNC_AFTER_MS);
    else this.#nothingMissing();
    if (message.kind === 'snapshot' && message.part === message.parts - 1) {
      for (const { resolve } of this.#settleWaiters.splice(0)) resolve();
    }
  }

  /** Asks for a snapshot now, and again until it is there. */
  ask(): void {
    if (this.#closedBecause !== undefined) return;
    this.#resyncs += 1;
    this.#options.ask(encodeMessage(resyncMessage(this.#state)));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#askIfNeeded(), this.#repeatMs);
    this.#repeatMs = Math.min(2 * this.#repeatMs, LAST_REPEAT_MS);
  }

  /**
   * Asks for a snapshot and resolves when it is there: everything the room had said by now has been applied then. Rejects with
   * CaptionError `connection_closed` when none comes within the deadline, or it is closed.
   */
  async settled(deadlineMs: number): Promise<void> {
    let timer: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#closedBecause !== undefined) {
          reject(closed(this.#closedBecause));
          return;
        }
        this.#settleWaiters.push({ resolve, reject });
        timer = setTimeout(() => {
          reject(closed(`No snapshot came within ${deadlineMs} ms.`));
        }, deadlineMs);
        this.ask();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Idempotent. */
  close(why: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = why;
    clearTimeout(this.#timer);
    for (const { reject } of this.#settleWaiters.splice(0)) reject(closed(why));
    this.#readyWaiter?.reject(closed(why));
  }

  #report(message: CaptionMessage): void {
    if (message.kind !== 'delta') return;
    const { room, epochMs, seq } = message;
    this.#options.report?.(encodeMessage({ kind: 'shown', room, epochMs, seq }));
  }

  #askIfNeeded(): void {
    this.#timer = undefined;
    if (this.#state.needsResync) this.ask();
  }

  #nothingMissing(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#repeatMs = FIRST_REPEAT_MS;
    this.#readyWaiter?.resolve();
  }

  #decode(bytes: Uint8Array): CaptionMessage | undefined {
    try {
      return decodeMessage(bytes);
    } catch {
      this.#received = { ...this.#received, undecodable: this.#received.undecodable + 1 };
      return undefined;
    }
  }
}

const closed = (why: string): CaptionError => new CaptionError('connection_closed', why, { retryable: true });
