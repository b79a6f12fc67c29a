/**
 * Tells an application that a meeting ended, as Standard Webhooks has it (https://www.standardwebhooks.com): signed, tried
 * again until it is taken, and always under the same id, so that who gets it twice can tell.
 */
import { createHmac } from 'node:crypto';
import { outboundFetch } from '../../asr/index.js';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { parseHookAddress } from '../config/hook-address.js';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { WebhookOutcome } from './transcript-line.js';
import { machineClockMs } from '../clock.js';

const SECRET_PREFIX = 'whsec_';
/** The standard asks for 24 to 64 bytes. */
const MIN_SECRET_BYTES = 24;
const ATTEMPT_DEADLINE_MS = 10_000;
const MINUTE_MS = 60_000;
/** 5 s, 30 s, 2, 10 and 30 minutes, then every hour for a day. */
const RETRY_DELAYS_MS: readonly number[] = [
  5000,
  30_000,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  ...new Array<number>(24).fill(60 * MINUTE_MS),
];
/** Nobody wants to be called by thousands at once. */
const MAX_AT_ONCE = 4;

export interface WebhookMessage {
  /** The same for every attempt, also after a restart. */
  readonly id: string;
  readonly body: string;
  /** Asked before each attempt. */
  readonly isWanted: () => boolean;
}

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_` and base64, at least 24 bytes. */
  readonly secret: string;
  readonly log: Logger;
  readonly attempted?: (outcome: 'delivered' | 'failed') => void;
  /** For tests. */
  readonly retryDelaysMs?: readonly number[];
}

/** `close` lets attempts under way finish and makes no further ones. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #key: Buffer;
  readonly #url: URL;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<WebhookOutcome | undefined>>();
  readonly #turns: (() => void)[] = [];
  #busy = 0;

  /** Throws CaptionError `config_invalid` for an address that may not be used, or a secret that is too short. */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.#key = readSecret(options.secret);
    this.#url = parseHookAddress('CAPTION_WEBHOOK_URL', options.url);
  }

  /** Resolves when nothing more will be tried; undefined where it is not wanted any more or the gateway is stopped before. Never rejects. */
  deliver(message: WebhookMessage): Promise<WebhookOutcome | undefined> {
    const delivery = this.#deliver(message).finally(() => this.#underWay.delete(delivery));
    this.#underWay.add(delivery);
    return delivery;
  }

  /** What was begun before is tried once, if it was not yet. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#underWay);
  }

  async #deliver(message: WebhookMessage): Promise<WebhookOutcome | undefined> {
    const { retryDelaysMs = RETRY_DELAYS_MS, attempted, log } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      if (!message.isWanted()) return undefined;
      const outcome = await this.#attempt(message);
      attempted?.(outcome === 'delivered' ? 'delivered' : 'failed');
      if (outcome !== 'failed') return outcome;
      const delayMs = retryDelaysMs[attempt];
      if (delayMs === undefined) {
        log.error({ id: message.id, attempts: attempt + 1 }, 'webhook given up');
        return 'given_up';
      }
      await pause(delayMs * (0.9 + 0.2 * Math.random()), this.#closing.signal);
      if (this.#closing.signal.aborted) return undefined;
    }
  }

  async #attempt({ id, body }: WebhookMessage): Promise<'delivered' | 'refused' | 'failed'> {
    const { log } = this.#options;
    await this.#turn();
    try {
      const response = await outboundFetch(this.#url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...this.#signature(id, body) },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(ATTEMPT_DEADLINE_MS),
      });
      await response.body?.cancel();
      if (response.ok) return 'delivered';
      log.warn({ id, status: response.status }, 'webhook not taken');
      // The standard's way to say: never again.
      return response.status === 410 ? 'refused' : 'failed';
    } catch (error) {
      log.warn({ id, error: errorMessage(error) }, 'webhook not delivered');
      return 'failed';
    } finally {
      this.#busy -= 1;
      this.#turns.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    while (this.#busy >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#busy += 1;
  }

  #signature(id: string, body: string): Record<string, string> {
    const timestamp = String(Math.floor(machineClockMs() / 1000));
    const signature = createHmac('sha256', this.#key).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
  }
}

function readSecret(secret: string): Buffer {
  const base64 = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : '';
  const key = Buffer.from(base64, 'base64');
  if (key.length >= MIN_SECRET_BYTES) return key;
  throw new CaptionError(
    'config_invalid',
    'CAPTION_WEBHOOK_SECRET must be "whsec_" and at least 24 bytes in base64; "openssl rand -base64 32" makes them.',
  );
}
