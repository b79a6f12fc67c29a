/** Downloads one big file, going on where a broken download stopped. */
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'undici';
import { CaptionError } from '../../protocol/index.js';
import { badStatus, downloadFailed, getFollowingRedirects, networkReason } from './http-request.js';
import { IdleWatch } from './idle-watch.js';
import { PartFile, writeFully, type ResumePoint } from './part-file.js';
import type { OnInstallProgress } from './progress.js';

const GIB = 1024 ** 3;

/** How patient a download is. All have defaults. */
export interface DownloadLimits {
  /** Without a single byte for so long, the connection counts as broken. Default 30 s. */
  readonly idleTimeoutMs?: number | undefined;
  /** How often to connect before giving up on a server that has answered at least once. Default 5. */
  readonly attempts?: number | undefined;
  /** Before the second attempt; doubles with each further one. Default 1 s. */
  readonly retryDelayMs?: number | undefined;
  /** Default 8 GiB. */
  readonly maxArchiveBytes?: number | undefined;
}

export interface DownloadOptions extends DownloadLimits {
  readonly url: string;
  /** Where the bytes are collected. Stays there after an error, so that the next call goes on. */
  readonly partPath: string;
  /** Checked as early as the server tells the size, and at the end. */
  readonly expectedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnInstallProgress | undefined;
}

const DEFAULT_LIMITS = {
  idleTimeoutMs: 30_000,
  attempts: 5,
  retryDelayMs: 1000,
  maxArchiveBytes: 8 * GIB,
};

/**
 * Leaves the whole file at `partPath`. Attempts that fail for a reason that may pass are repeated, unless the server
 * was never reached: a machine without a network is told so at once.
 * Throws CaptionError `download_failed` (server, network), `archive_mismatch` (not the size expected, or above the
 * limit), `model_store_failed` (disk), and the signal's reason.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const attempts = options.attempts ?? DEFAULT_LIMITS.attempts;
  let wasReached = false;
  for (let count = 1; ; count++) {
    options.signal?.throwIfAborted();
    const attempt = new Attempt(options);
    try {
      await attempt.run();
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      wasReached ||= attempt.wasReached;
      const mayPass = error instanceof CaptionError && error.retryable && wasReached;
      if (!mayPass || count >= attempts) throw error;
      const waitMs = (options.retryDelayMs ?? DEFAULT_LIMITS.retryDelayMs) * 2 ** (count - 1);
      // When aborted, the next round throws the caller's reason.
      await delay(waitMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}

/** One connection. */
class Attempt {
  /** Whether the server answered, whatever it said. */
  wasReached = false;
  readonly #options: DownloadOptions;
  readonly #part: PartFile;
  readonly #idle: IdleWatch;
  readonly #signal: AbortSignal;

  constructor(options: DownloadOptions) {
    const idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_LIMITS.idleTimeoutMs;
    this.#options = options;
    this.#part = new PartFile(options.partPath);
    this.#idle = new IdleWatch(idleTimeoutMs, () =>
      downloadFailed(`${options.url} sent nothing for ${idleTimeoutMs / 1000} s.`, { retryable: true }),
    );
    this.#signal = options.signal ? AbortSignal.any([options.signal, this.#idle.signal]) : this.#idle.signal;
  }

  async run(): Promise<void> {
    try {
      if (await this.#isComplete()) return;
      const resume = await this.#part.resumePoint(this.#options.url);
      const response = await getFollowingRedirects({
        url: this.#options.url,
        headers: requestHeaders(resume),
        signal: this.#signal,
      });
      this.wasReached = true;
      try {
        await this.#receive(response, resume);
      } finally {
        // Frees the connection where the body was not wanted; one that was read is locked, and freed already.
        await response.body?.cancel().catch(() => undefined);
      }
    } finally {
      this.#idle.stop();
    }
  }

  /** Everything was received before, but the process ended before it was unpacked. */
  async #isComplete(): Promise<boolean> {
    const { expectedBytes } = this.#options;
    return expectedBytes !== undefined && (await this.#part.sizeBytes()) === expectedBytes;
  }

  async #receive(response: Response, resume: ResumePoint | undefined): Promise<void> {
    const range = contentRange(response);
    if (response.status === 206 && resume !== undefined && range?.startByte === resume.receivedBytes) {
      this.#checkSize(range.totalBytes);
      await this.#store(response, await this.#part.continue(), range.totalBytes);
    } else if (response.status === 200) {
      // The server knows no ranges, or the file is another one by now.
      const totalBytes = contentLength(response);
      this.#checkSize(totalBytes);
      await this.#store(response, await this.#part.restart(this.#options.url, response.headers), totalBytes);
    } else if (
      response.status === 416 &&
      range?.totalBytes === resume?.receivedBytes &&
      range !== undefined
    ) {
      // Nothing comes after what we have: it is complete.
      this.#checkSize(range.totalBytes);
    } else if (response.status === 206 || response.status === 416) {
      await this.#part.remove();
      throw downloadFailed(`${this.#options.url} did not continue where it stopped.`, { retryable: true });
    } else {
      throw badStatus(this.#options.url, response.status);
    }
  }

  async #store(response: Response, file: FileHandle, totalBytes: number | undefined): Promise<void> {
    let doneBytes = (await file.stat()).size;
    const reader = response.body?.getReader();
    try {
      for (;;) {
        const chunk = await this.#next(reader);
        if (chunk === undefined) break;
        doneBytes += chunk.length;
        this.#checkLimit(doneBytes);
        await writeFully(file, chunk);
        this.#options.onProgress?.({ phase: 'downloading', doneBytes, totalBytes });
      }
    } finally {
      await reader?.cancel().catch(() => undefined);
      await file.close();
    }
    if (totalBytes !== undefined && doneBytes < totalBytes) {
      throw downloadFailed(`${this.#options.url} ended after ${doneBytes} of ${totalBytes} bytes.`, {
        retryable: true,
      });
    }
    this.#checkSize(doneBytes);
  }

  async #next(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<Uint8Array | undefined> {
    try {
      const { value } = (await reader?.read()) ?? {};
      this.#idle.touch();
      return value;
    } catch (error) {
      this.#signal.throwIfAborted();
      throw downloadFailed(`The connection to ${this.#options.url} broke: ${networkReason(error)}.`, {
        retryable: true,
        cause: error,
      });
    }
  }

  #checkSize(totalBytes: number | undefined): void {
    if (totalBytes === undefined) return;
    this.#checkLimit(totalBytes);
    const { expectedBytes, url } = this.#options;
    if (expectedBytes === undefined || totalBytes === expectedBytes) return;
    throw new CaptionError(
      'archive_mismatch',
      `${url} has ${totalBytes} bytes instead of ${expectedBytes}: it is not the archive that was expected.`,
    );
  }

  #checkLimit(bytes: number): void {
    const maxBytes = this.#options.maxArchiveBytes ?? DEFAULT_LIMITS.maxArchiveBytes;
    if (bytes <= maxBytes) return;
    throw new CaptionError(
      'archive_mismatch',
      `${this.#options.url} is larger than the limit of ${maxBytes} bytes.`,
    );
  }
}

const requestHeaders = (resume: ResumePoint | undefined): Record<string, string> => ({
  // Compression in transit would make lengths and ranges those of something else.
  'accept-encoding': 'identity',
  ...(resume ? { range: `bytes=${resume.receivedBytes}-`, 'if-range': resume.validator } : {}),
});

function contentLength(response: Response): number | undefined {
  const text = response.headers.get('content-length');
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** "bytes 100-199/200"; with status 416 "bytes *" and the size. A size that the server does not know is a star too. */
function contentRange(response: Response): { startByte?: number; totalBytes?: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(?:(\d+)|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (match === null) return undefined;
  return {
    ...(match[1] === undefined ? {} : { startByte: Number(match[1]) }),
    ...(match[2] === undefined ? {} : { totalBytes: Number(match[2]) }),
  };
}
