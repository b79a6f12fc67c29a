import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { CaptionError } from '../../protocol/index.js';
import { TimeSlices } from '../transcript/time-slices.js';

/** Of one identity, or of one address without a token. */
const MAX_PER_CLIENT = 2;
const MAX_AT_ONCE = 16;
/** So much must be taken within the deadline. */
const CHUNK_BYTES = 16_384;

export interface DownloadsOptions {
  /** Who takes nothing for so long is cut off. */
  readonly maxPauseMs: number;
}

/**
 * Long texts over HTTP, a few at a time. They are made one after the other, so that only one meeting is unpacked in memory, and kept
 * as bytes until they are taken; who does not read them loses the connection.
 */
export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #counts = new Map<string, number>();
  #atOnce = 0;
  #made: Promise<unknown> = Promise.resolve();

  constructor(options: DownloadsOptions) {
    this.#options = options;
  }

  /** Throws CaptionError `downloads_busy`, and what `download` throws. `client`: who has a share of their own. */
  async take(client: string, download: () => Promise<void>): Promise<void> {
    const ofClient = this.#counts.get(client) ?? 0;
    if (ofClient >= MAX_PER_CLIENT)
      throw busy(`There are ${MAX_PER_CLIENT} downloads of yours already; wait until one is done.`);
    if (this.#atOnce >= MAX_AT_ONCE) throw busy('Many others are downloading; try again in a moment.');
    this.#counts.set(client, ofClient + 1);
    this.#atOnce += 1;
    try {
      await download();
    } finally {
      this.#atOnce -= 1;
      const left = (this.#counts.get(client) ?? 1) - 1;
      if (left === 0) this.#counts.delete(client);
      else this.#counts.set(client, left);
    }
  }

  /** Lets `make` have its turn, alone. */
  inTurn<Result>(make: () => Promise<Result>): Promise<Result> {
    const result = this.#made.then(make);
    this.#made = result.catch(() => undefined);
    return result;
  }

  /** Resolves when the client has taken everything, or is gone, or was cut off. */
  async send(response: ServerResponse, chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await this.#taken(response, 'drain');
    }
    if (response.destroyed) return;
    response.end();
    if (!response.writableFinished) await this.#taken(response, 'finish');
  }

  async #taken(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
    const over = new AbortController();
    const timer = setTimeout(() => response.destroy(), this.#options.maxPauseMs);
    try {
      const { signal } = over;
      await Promise.race([once(response, event, { signal }), once(response, 'close', { signal })]);
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }
}

/** A text in pieces as bytes; captions go first while it is made. */
export async function toChunks(parts: Iterable<string>): Promise<Buffer[]> {
  const slices = new TimeSlices();
  const chunks: Buffer[] = [];
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length >= CHUNK_BYTES) {
      chunks.push(...cut(Buffer.from(text)));
      text = '';
    }
    await slices.breathe();
  }
  if (text !== '') chunks.push(...cut(Buffer.from(text)));
  return chunks;
}

const cut = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) =>
    bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );

const busy = (message: string): CaptionError =>
  new CaptionError('downloads_busy', message, { retryable: true });
