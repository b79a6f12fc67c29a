/** A client's side of `access.ts`: which token it uses, and when it asks for a newer one. */
import type { AccessMessage } from './access.js';

/** Node and browsers have both as globals; neither is in TypeScript's ES2023. */
type Timer = object | number;
declare const setTimeout: (done: () => void, delayMs: number) => Timer;
declare const clearTimeout: (timer: Timer | undefined) => void;

/**
 * An access token, or what gives the one that counts now. A function is asked for every connection, and again some time before
 * the token ends; who has no newer one yet gives the same again, or undefined, and is asked again.
 */
export type AccessTokenSource = string | (() => string | undefined | Promise<string | undefined>);

export interface ClientTokenOptions {
  readonly source: AccessTokenSource | undefined;
  /** Hands a newer token over on the open connection; false where there is none. */
  readonly send: (token: string) => boolean;
  /** A newer token is about to be asked for, because the former one ends or has ended. */
  readonly expiring?: (() => void) | undefined;
}

/** What comes of asking for the token of a new connection. */
export interface TokenAnswers {
  readonly token: (token: string | undefined) => void;
  /** There is none but the one that the gateway said has ended. */
  readonly ended: () => void;
  /** The source failed: asking again later may help. */
  readonly failed: () => void;
}

/** A token is asked for so long before the former one ends, or at half of what it has left. */
const ASK_BEFORE_END_MS = 60_000;
const ASK_AGAIN_MS = 5000;
const LEAST_WAIT_MS = 500;
/** Timers hold no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Nothing happens by itself before `take`. `close` when done. */
export class ClientToken {
  readonly #options: ClientTokenOptions;
  #used: string | undefined;
  #ended: string | undefined;
  #timer: Timer | undefined;
  /** What was asked before the last time does not count any more. */
  #asked = 0;
  #isClosed = false;

  constructor(options: ClientTokenOptions) {
    this.#options = options;
  }

  /** Whether there may be another token later. */
  get canChange(): boolean {
    return typeof this.#options.source === 'function';
  }

  /** For a new connection. One of the answers follows: at once, where the source does not promise; none after `close`. */
  take(answers: TokenAnswers): void {
    this.#isClosed = false;
    this.connectionLost();
    if (this.#ended !== undefined) this.#options.expiring?.();
    this.#ask({
      failed: answers.failed,
      token: (token) => {
        if (token !== undefined && token === this.#ended) {
          answers.ended();
          return;
        }
        this.#used = token;
        this.#ended = undefined;
        answers.token(token);
      },
    });
  }

  /** The gateway told when the token of this connection ends, or that a newer one is not taken. */
  told({ expiresAtMs, refusal }: AccessMessage): void {
    clearTimeout(this.#timer);
    if (expiresAtMs === undefined || !this.canChange) return;
    const leftMs = expiresAtMs - Date.now();
    const waitMs = leftMs - Math.min(ASK_BEFORE_END_MS, leftMs / 2);
    const leastMs = refusal === undefined ? LEAST_WAIT_MS : ASK_AGAIN_MS;
    this.#askLater(Math.min(Math.max(waitMs, leastMs), MAX_TIMER_MS));
  }

  /** Somebody knows that there is a newer token: it is asked for now, and handed over. */
  renew(): void {
    this.#handOver(() => undefined);
  }

  /** The gateway ended the connection because the token has ended. */
  hasEnded(): void {
    this.#ended = this.#used;
    this.connectionLost();
  }

  /** Nothing is asked for until there is another connection. */
  connectionLost(): void {
    clearTimeout(this.#timer);
  }

  /** Nothing more is asked or answered until the next `take`. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #askLater(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#options.expiring?.();
      this.#handOver(() => this.#askLater(ASK_AGAIN_MS));
    }, waitMs);
  }

  #handOver(noneIsNewer: () => void): void {
    if (!this.canChange || this.#isClosed) return;
    this.#ask({
      failed: noneIsNewer,
      token: (token) => {
        const isNewer = token !== undefined && token !== this.#used && token !== this.#ended;
        if (!isNewer) noneIsNewer();
        else if (this.#options.send(token)) this.#used = token;
      },
    });
  }

  #ask(answers: Pick<TokenAnswers, 'token' | 'failed'>): void {
    const { source } = this.#options;
    const mine = ++this.#asked;
    const isCurrent = (): boolean => !this.#isClosed && mine === this.#asked;
    let asked: string | undefined | Promise<string | undefined>;
    try {
      asked = typeof source === 'function' ? source() : source;
    } catch {
      answers.failed();
      return;
    }
    if (asked === undefined || typeof asked === 'string') {
      answers.token(asked);
      return;
    }
    asked.then(
      (token) => {
        if (isCurrent()) answers.token(token);
      },
      () => {
        if (isCurrent()) answers.failed();
      },
    );
  }
}
