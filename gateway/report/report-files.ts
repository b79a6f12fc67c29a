import { access, constants, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import { hourOf, type ReportSource, type ReportStore } from './report-store.js';

export const REPORT_DAYS = 7;
const DAY_MS = 86_400_000;
const FILE_NAME = /^(\d{4}-\d{2}-\d{2})T(\d{2})\.jsonl$/;
/** Lines that wait for a disk which does not write; above it the oldest go. */
const MAX_WAITING_CHARS = 1_048_576;

export interface ReportFilesOptions {
  readonly dir: string;
  /** All files together. */
  readonly maxBytes: number;
  readonly log: Logger;
  /** Lines that were not kept: the disk failed, or a single hour fills all the room there is. */
  readonly lost: (lines: number) => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * `DIR/2026-11-25T14.jsonl`: a file for each hour (UTC), readable by this user alone, kept for seven days and within a bound:
 * then the oldest hour goes. Lines of one minute are appended in one write, so several gateways may share a folder; a line
 * that was cut off is left out by readers.
 */
export class ReportFiles implements ReportStore {
  readonly #options: ReportFilesOptions;
  #waiting: { readonly text: string; readonly minuteMs: number }[] = [];
  #waitingChars = 0;
  #writing: Promise<void> | undefined;
  #hourMs = -Infinity;
  #isFailing = false;

  private constructor(options: ReportFilesOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error when the folder cannot be used. */
  static async open(options: ReportFilesOptions): Promise<ReportFiles> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    await access(options.dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return new ReportFiles(options);
  }

  append(lines: readonly string[], minuteMs: number): void {
    const text = lines.join('');
    this.#hourMs = Math.max(this.#hourMs, hourOf(minuteMs));
    this.#waiting.push({ text, minuteMs });
    this.#waitingChars += text.length;
    while (this.#waitingChars > MAX_WAITING_CHARS && this.#waiting.length > 1) this.#dropOldest();
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  begins(minuteMs: number): boolean {
    return hourOf(minuteMs) > this.#hourMs;
  }

  async source(): Promise<ReportSource> {
    // What is being written would be found twice.
    await this.#writing;
    const lines = this.#waiting.flatMap(({ text }) => text.split('\n'));
    return { kind: 'folder', dir: this.#options.dir, lines };
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  /** What fails is tried again with the next minute. */
  async #writeAll(): Promise<void> {
    const { dir, log } = this.#options;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        if (await this.#makeRoom(next)) await appendOnce(join(dir, fileNameOf(next.minuteMs)), next.text);
        else this.#options.lost(linesIn(next.text));
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) log.warn({ error: errorMessage(error) }, 'latency report not written');
        this.#isFailing = true;
        return;
      }
      if (this.#waiting[0] === next) this.#takeOldest();
    }
  }

  /** Deletes what is too old or too much. False when there is no room all the same. */
  async #makeRoom({ text, minuteMs }: { text: string; minuteMs: number }): Promise<boolean> {
    const { dir, maxBytes, now } = this.#options;
    const files = await reportFilesIn(dir);
    const sized = await Promise.all(
      files.map(async ({ name, hourMs }) => {
        const path = join(dir, name);
        const { size } = await stat(path).catch(() => ({ size: 0 }));
        return { path, hourMs, size };
      }),
    );
    let bytes = sized.reduce((sum, { size }) => sum + size, Buffer.byteLength(text));
    for (const { path, hourMs, size } of sized) {
      const isOld = now() - hourMs > (REPORT_DAYS + 1 / 24) * DAY_MS;
      if (!isOld && (bytes <= maxBytes || hourMs >= hourOf(minuteMs))) continue;
      await rm(path, { force: true });
      bytes -= size;
    }
    return bytes <= maxBytes;
  }

  #dropOldest(): void {
    const dropped = this.#takeOldest();
    if (dropped !== undefined) this.#options.lost(linesIn(dropped));
  }

  #takeOldest(): string | undefined {
    const taken = this.#waiting.shift();
    this.#waitingChars -= taken?.text.length ?? 0;
    return taken?.text;
  }
}

/** Oldest first. */
export async function reportFilesIn(dir: string): Promise<{ name: string; hourMs: number }[]> {
  const names = await readdir(dir);
  return names
    .flatMap((name) => {
      const [, day, hour] = FILE_NAME.exec(name) ?? [];
      return day === undefined || hour === undefined
        ? []
        : [{ name, hourMs: Date.parse(`${day}T${hour}:00:00Z`) }];
    })
    .sort((a, b) => a.hourMs - b.hourMs);
}

const fileNameOf = (minuteMs: number): string => `${new Date(minuteMs).toISOString().slice(0, 13)}.jsonl`;

/** One write, so that lines of gateways that share a folder do not mix; what a disk took in part only is taken back. */
async function appendOnce(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    const bytes = Buffer.from(text);
    const { bytesWritten } = await file.write(bytes);
    // A line that was cut off would swallow the next one.
    if (bytesWritten < bytes.length) {
      await file.write('\n');
      throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
    }
  } finally {
    await file.close();
  }
}

const linesIn = (text: string): number => text.split('\n').length - 1;
