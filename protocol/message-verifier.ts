import type { CaptionKey } from './caption-key.js';
import { MAX_MESSAGE_BYTES } from './caption.js';
import { splitSignature } from './signature.js';

/** Node and browsers have both as globals; neither is in TypeScript's ES2023. */
type Timer = object | number;
declare const setTimeout: (done: () => void, delayMs: number) => Timer;
declare const clearTimeout: (timer: Timer | undefined) => void;
declare const performance: { now(): number };

/**
 * Far more than a gateway sends, and less than a browser verifies on one core: what is above is somebody's flood. The share of a flood
 * that is checked is the share of honest messages that comes through.
 */
const MAX_CHECKS_PER_SECOND = 1000;
const MAX_CHECKS_AT_ONCE = 1000;
/** Above it any of those that wait is dropped, whichever: honest messages among them are asked for again. */
const MAX_WAITING_MESSAGES = 256;
const MAX_WAITING_BYTES = 1_000_000;
/** While a flood lasts. */
const TELL_DROPPED_EVERY_MS = 1000;

export interface MessageVerifierOptions {
  /** Whether a message would change anything if it were signed: a repetition of old ones costs no check, and is left aside. */
  readonly isNews?: (bytes: Uint8Array) => boolean;
  /** A message that one of the keys signed, in the order of arrival. */
  readonly accept: (bytes: Uint8Array) => void;
  /** A message that none of the keys signed; at once where there is no key. */
  readonly refuse: (bytes: Uint8Array) => void;
  /** Too much came: called when what was not dropped has been checked, and every second until then. */
  readonly dropped: () => void;
}

/**
 * Lets through what the gateway signed, in order. Verifying takes a moment; what waits is bounded, and so is the work that
 * somebody can cause who sends forged messages. `close` it.
 */
export class MessageVerifier {
  readonly #options: MessageVerifierOptions;
  #keys: readonly CaptionKey[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isRunning = false;
  #hasDropped = false;
  #toldDroppedAtMs = -Infinity;
  #isClosed = false;
  #checksLeft = MAX_CHECKS_AT_ONCE;
  #countedAtMs = performance.now();
  #timer: Timer | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: MessageVerifierOptions) {
    this.#options = options;
  }

  get keys(): readonly CaptionKey[] {
    return this.#keys;
  }

  /** What waits is checked with these. */
  set keys(keys: readonly CaptionKey[]) {
    this.#keys = keys;
  }

  receive(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#keys.length === 0 || !mayBeSigned(bytes)) {
      this.#options.refuse(bytes);
      return;
    }
    if (this.#options.isNews?.(bytes) === false) return;
    while (
      this.#waiting.length >= MAX_WAITING_MESSAGES ||
      this.#waitingBytes + bytes.length > MAX_WAITING_BYTES
    )
      this.#dropAny();
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isRunning) void this.#run();
  }

  /** Idempotent. Nothing is let through afterwards. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    this.#endPause?.();
  }

  /** Who sends at the right moment could keep the newest ones out, or the oldest. */
  #dropAny(): void {
    const [dropped] = this.#waiting.splice(Math.floor(Math.random() * this.#waiting.length), 1);
    this.#waitingBytes -= dropped?.length ?? 0;
    this.#hasDropped = true;
  }

  /** Never rejects, as long as the functions do not throw. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    for (;;) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      this.#waitingBytes -= bytes.length;
      const isSigned = await this.#isSigned(bytes);
      // Closed while it was being checked.
      if (this.#isOver()) break;
      if (isSigned) this.#options.accept(bytes);
      else this.#options.refuse(bytes);
      if (performance.now() - this.#toldDroppedAtMs >= TELL_DROPPED_EVERY_MS) this.#tellDropped();
    }
    this.#isRunning = false;
    this.#tellDropped();
  }

  #tellDropped(): void {
    if (!this.#hasDropped || this.#isClosed) return;
    this.#hasDropped = false;
    this.#toldDroppedAtMs = performance.now();
    this.#options.dropped();
  }

  async #isSigned(bytes: Uint8Array): Promise<boolean> {
    for (const key of this.#keys) {
      await this.#turn();
      if (await key.signedMessage(bytes)) return true;
    }
    return false;
  }

  /** Resolves when one more message may be checked. */
  async #turn(): Promise<void> {
    const nowMs = performance.now();
    const earned = ((nowMs - this.#countedAtMs) * MAX_CHECKS_PER_SECOND) / 1000;
    this.#checksLeft = Math.min(MAX_CHECKS_AT_ONCE, this.#checksLeft + earned) - 1;
    this.#countedAtMs = nowMs;
    if (this.#checksLeft >= 0 || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      this.#timer = setTimeout(resolve, (-this.#checksLeft * 1000) / MAX_CHECKS_PER_SECOND);
    });
    this.#endPause = undefined;
  }

  #isOver(): boolean {
    return this.#isClosed;
  }
}

const mayBeSigned = (bytes: Uint8Array): boolean =>
  bytes.length <= MAX_MESSAGE_BYTES && splitSignature(bytes) !== undefined;
