import { outboundFetch, type OutboundResponse } from '../../asr/index.js';
import { CaptionError, errorMessage, type RoomName } from '../../protocol/index.js';
import { parseHookAddress } from '../config/hook-address.js';
import type { Logger } from '../log.js';
import type { EncryptionKeyAnswer } from './bot/captioner-host.js';

const DEADLINE_MS = 3000;
const ATTEMPTS = 2;
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_KEY_CHARS = 1024;
const NOT_FOUND = 404;

const REASON = {
  noSource:
    'This meeting is end-to-end encrypted and the captions have no key (CAPTION_E2EE_KEY, CAPTION_E2EE_KEY_URL).',
  noneForRoom: 'This meeting is end-to-end encrypted and its application gives the captions no key.',
  unavailable:
    'This meeting is end-to-end encrypted and its application cannot be asked for the key just now.',
} as const;

export interface EncryptionKeysOptions {
  /** CAPTION_E2EE_KEY: of all rooms; empty for none. */
  readonly sharedKey: string;
  /** CAPTION_E2EE_KEY_URL: asked for each room; empty for none. https, or http on loopback. */
  readonly hookUrl: string;
  /** CAPTION_E2EE_KEY_TOKEN; empty for none. */
  readonly hookToken: string;
  readonly log: Logger;
  /** Of each of two attempts. Default 3 s. */
  readonly deadlineMs?: number;
}

/**
 * Keys of end-to-end encrypted rooms: one for all, or the application's hook, which is sent
 * `POST {"room": "…"}` with `Authorization: Bearer …` and answers `{"key": "…"}`, or 404 for a room whose key it does not give.
 * Keys are never logged and never kept.
 */
export class EncryptionKeys {
  readonly #options: EncryptionKeysOptions;
  readonly #hook: URL | undefined;

  /** Throws CaptionError `config_invalid`. */
  constructor(options: EncryptionKeysOptions) {
    this.#options = options;
    const { sharedKey, hookUrl, hookToken } = options;
    if (sharedKey !== '' && hookUrl !== '') {
      throw new CaptionError('config_invalid', 'Set CAPTION_E2EE_KEY or CAPTION_E2EE_KEY_URL, not both.');
    }
    if (hookToken !== '' && hookUrl === '') {
      throw new CaptionError('config_invalid', 'CAPTION_E2EE_KEY_TOKEN needs CAPTION_E2EE_KEY_URL.');
    }
    this.#hook = hookUrl === '' ? undefined : parseHookAddress('CAPTION_E2EE_KEY_URL', hookUrl);
  }

  /** Never rejects: the reason is for people, and names no secret. */
  async keyOf(room: RoomName): Promise<EncryptionKeyAnswer> {
    const { sharedKey, log } = this.#options;
    if (sharedKey !== '') return { key: sharedKey };
    if (this.#hook === undefined) return { reason: REASON.noSource, mayPass: false };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#ask(this.#hook, room);
      } catch (error) {
        const isHopeless = !(error instanceof CaptionError && error.retryable);
        if (!isHopeless && attempt < ATTEMPTS) continue;
        log.warn({ room, error: errorMessage(error) }, 'key of an encrypted room not obtained');
        return { reason: REASON.unavailable, mayPass: true };
      }
    }
  }

  /** Throws CaptionError `encryption_hook_failed`; retryable where the same request may succeed. */
  async #ask(hook: URL, room: RoomName): Promise<EncryptionKeyAnswer> {
    const { hookToken, deadlineMs = DEADLINE_MS } = this.#options;
    let response: OutboundResponse;
    let body: string;
    try {
      response = await outboundFetch(hook, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json',
          ...(hookToken === '' ? {} : { Authorization: `Bearer ${hookToken}` }),
        },
        body: JSON.stringify({ room }),
        // The token is for this address only.
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
      });
      body = await readAtMost(response, MAX_ANSWER_BYTES);
    } catch (error) {
      if (error instanceof CaptionError) throw error;
      throw hookFailed(`it cannot be reached (${errorMessage(error)})`, { retryable: true, cause: error });
    }
    if (response.status === NOT_FOUND) return { reason: REASON.noneForRoom, mayPass: false };
    if (!response.ok) {
      throw hookFailed(`it answered with HTTP status ${response.status}`, {
        retryable: response.status >= 500 || response.status === 429,
      });
    }
    const key = keyIn(body);
    if (key === undefined) {
      throw hookFailed(`its answer is no {"key": "…"} with 1 to ${MAX_KEY_CHARS} characters`);
    }
    return { key };
  }
}

/** The text names no answer: it may hold a key. */
const hookFailed = (what: string, options: { retryable?: boolean; cause?: unknown } = {}): CaptionError =>
  new CaptionError(
    'encryption_hook_failed',
    `The hook at CAPTION_E2EE_KEY_URL gave no key: ${what}. Check its address, CAPTION_E2EE_KEY_TOKEN and its own log.`,
    options,
  );

async function readAtMost(response: OutboundResponse, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw hookFailed(`its answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function keyIn(body: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null || !('key' in answer)) return undefined;
  const { key } = answer;
  return typeof key === 'string' && key !== '' && key.length <= MAX_KEY_CHARS ? key : undefined;
}
