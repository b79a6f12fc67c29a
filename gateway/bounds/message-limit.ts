import { CaptionError } from '../../protocol/index.js';
import { type Allowance, RateLimit } from './rate-limit.js';

export interface MessageAllowance {
  readonly messages: Allowance;
  readonly bytes: Allowance;
}

/** How many messages, and how many bytes in them, one client may send. */
export class MessageLimit {
  readonly #messages: RateLimit;
  readonly #bytes: RateLimit;

  constructor({ messages, bytes }: MessageAllowance, now?: () => number) {
    this.#messages = new RateLimit(messages, now);
    this.#bytes = new RateLimit(bytes, now);
  }

  get isAtRest(): boolean {
    return this.#messages.isAtRest && this.#bytes.isAtRest;
  }

  /** Throws CaptionError `messages_too_fast`. */
  take(bytes: number): void {
    if (this.#messages.tryTake() && this.#bytes.tryTake(bytes)) return;
    throw new CaptionError('messages_too_fast', 'More messages than are read here; slow down.', {
      retryable: true,
    });
  }
}
