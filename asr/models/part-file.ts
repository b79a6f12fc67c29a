/**
 * A download that is not finished: `NAME.part` with the bytes, `NAME.part.json` with what is needed to go on later.
 */
import { open, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { isMissing } from './install-record.js';

/** Where a broken download can go on. */
export interface ResumePoint {
  readonly receivedBytes: number;
  /** For `If-Range`: the strong ETag or the date of the version these bytes are of. */
  readonly validator: string;
}

interface PartInfo {
  readonly url: string;
  readonly validator: string;
}

export class PartFile {
  readonly #infoPath: string;

  constructor(readonly path: string) {
    this.#infoPath = `${path}.json`;
  }

  /** 0 when nothing was received. */
  async sizeBytes(): Promise<number> {
    try {
      return (await stat(this.path)).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  }

  /** Undefined when there is nothing, or nothing that could be continued from that address. */
  async resumePoint(url: string): Promise<ResumePoint | undefined> {
    const receivedBytes = await this.sizeBytes();
    if (receivedBytes === 0) return undefined;
    const info = await this.#readInfo();
    return info?.url === url ? { receivedBytes, validator: info.validator } : undefined;
  }

  /** Begins anew, remembering the version that is about to be received. */
  async restart(url: string, headers: Headers): Promise<FileHandle> {
    await this.remove();
    const validator = validatorOf(headers);
    if (validator !== undefined) await writeFile(this.#infoPath, JSON.stringify({ url, validator }));
    return open(this.path, 'w');
  }

  async continue(): Promise<FileHandle> {
    return open(this.path, 'a');
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#infoPath, { force: true });
  }

  async #readInfo(): Promise<PartInfo | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#infoPath, 'utf8'));
      return isPartInfo(value) ? value : undefined;
    } catch {
      // Missing or cut off: the download then begins anew, which is always right.
      return undefined;
    }
  }
}

/** Writes all of `bytes`. Throws CaptionError `model_store_failed`, for instance when the disk is full. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      written += (await file.write(bytes, written)).bytesWritten;
    }
  } catch (error) {
    throw new CaptionError('model_store_failed', `The download cannot be stored: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** RFC 9110, 13.1.5: `If-Range` takes a strong ETag or a date. */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag?.startsWith('"')) return etag;
  return headers.get('last-modified') ?? undefined;
}

const isPartInfo = (value: unknown): value is PartInfo =>
  typeof value === 'object' &&
  value !== null &&
  'url' in value &&
  typeof value.url === 'string' &&
  'validator' in value &&
  typeof value.validator === 'string';
