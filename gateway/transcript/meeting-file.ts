import { constants, type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorMessage } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import { encodeLine } from './transcript-line.js';

/** Lines that wait for a disk which does not write; above it the oldest go. */
const MAX_WAITING_BYTES = 1_048_576;
const RETRY_MS = 1000;
/** Against a loss of power, which a death of the process alone is not. */
const SYNC_INTERVAL_MS = 2000;

export interface MeetingFileOptions {
  readonly path: string;
  /** Bytes of whole lines that the file has already; undefined for a new file. */
  readonly existingBytes?: number;
  readonly log: Logger;
  /** Entries that could not be kept. */
  readonly lost?: (entries: number) => void;
}

/**
 * One meeting's lines on disk, readable by this user alone. A line is handed to the system as soon as it is there: it then
 * survives the death of this process. A write that failed is tried again at the same place, so that there is never half a
 * line in the middle of the file. `close` writes what waits, once more even on a disk that failed before.
 */
export class MeetingFile {
  readonly #options: MeetingFileOptions;
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #lostEntries = 0;
  #writtenBytes: number;
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: MeetingFileOptions) {
    this.#options = options;
    this.#writtenBytes = options.existingBytes ?? 0;
  }

  /** Whether anything of it is on disk. */
  get isStored(): boolean {
    return this.#writtenBytes > 0;
  }

  /** Ignored after `close`. */
  append(line: string): void {
    if (this.#isClosed) return;
    this.#waiting.push(line);
    this.#waitingBytes += Buffer.byteLength(line);
    while (this.#waitingBytes > MAX_WAITING_BYTES && this.#waiting.length > 1) this.#dropOldest();
    if (this.#retryTimer === undefined) this.#wake();
  }

  /** Resolves when everything so far is with the system, or the disk refuses it for now. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await this.#writing;
    if (this.#waiting.length > 0) await this.#writeAll();
    clearTimeout(this.#syncTimer);
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.datasync().catch(() => undefined);
    await handle?.close().catch(() => undefined);
  }

  #wake(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 && !this.#isClosed) this.#retryLater();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      const batchBytes = this.#waitingBytes;
      this.#waitingBytes = 0;
      const lost = this.#lostEntries;
      try {
        this.#handle ??= await this.#open();
        const bytes = Buffer.from(
          [...withNote(batch, { lost, isNew: this.#writtenBytes === 0 }), ''].join('\n'),
        );
        await writeWhole(this.#handle, bytes, this.#writtenBytes);
        this.#writtenBytes += bytes.length;
        this.#lostEntries -= lost;
      } catch (error) {
        this.#waiting.unshift(...batch);
        this.#waitingBytes += batchBytes;
        this.#options.log.error({ error: errorMessage(error) }, 'transcript not written');
        return;
      }
    }
    this.#syncSoon();
  }

  async #open(): Promise<FileHandle> {
    const { path, existingBytes } = this.#options;
    if (existingBytes === undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (!(await lstat(dirname(path))).isDirectory())
      throw new Error('the folder of the room is a link to somewhere else');
    const create = existingBytes === undefined ? constants.O_CREAT | constants.O_EXCL : 0;
    const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | create, 0o600);
    // What stands after the last whole line was cut off in the middle.
    if (existingBytes !== undefined) await handle.truncate(existingBytes);
    return handle;
  }

  #retryLater(): void {
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#wake();
    }, RETRY_MS);
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#handle?.datasync().catch((error: unknown) => {
        this.#options.log.error({ error: errorMessage(error) }, 'transcript not synchronised');
      });
    }, SYNC_INTERVAL_MS);
  }

  /** The first line, which tells the meeting, is kept while it waits. */
  #dropOldest(): void {
    const index = this.#writtenBytes === 0 ? 1 : 0;
    const [dropped = ''] = this.#waiting.splice(index, 1);
    this.#waitingBytes -= Buffer.byteLength(dropped);
    this.#lostEntries += 1;
    this.#options.lost?.(1);
  }
}

/** What was lost is told in its place, but never before the line that tells the meeting. */
function withNote(batch: readonly string[], { lost, isNew }: { lost: number; isNew: boolean }): string[] {
  const note = lost === 0 ? [] : [encodeLine({ kind: 'lost', entries: lost }, 0)];
  const head = isNew ? batch.slice(0, 1) : [];
  return [...head, ...note, ...batch.slice(head.length)];
}

async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
