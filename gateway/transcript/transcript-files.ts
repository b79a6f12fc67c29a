import { createHash } from 'node:crypto';
import { access, constants, lstat, mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CaptionError, errorMessage, type RoomName } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import { MeetingFile } from './meeting-file.js';
import { MEETING_ID, readLines } from './meeting-transcript.js';
import { endOf, type Transcript } from './transcript-entry.js';
import { decodeLine, type MeetingEnd, type MeetingLine } from './transcript-line.js';

const DAY_MS = 86_400_000;
const SUFFIX = '.jsonl';
const WRITABLE_BY_OTHERS = 0o022;

export interface TranscriptFilesOptions {
  readonly dir: string;
  /** 0 for as long as nobody deletes them. */
  readonly retentionDays: number;
  readonly log: Logger;
  readonly lost?: (entries: number) => void;
}

/** What stands in one file besides what was said. */
export interface StoredMeeting {
  readonly path: string;
  readonly head: MeetingLine;
  /** Of whole lines. */
  readonly bytes: number;
  /** Absent where the gateway died before the meeting ended, and while it goes on. */
  readonly end?: MeetingEnd;
  /** When the last word was spoken. */
  readonly lastMs: number;
  readonly isTold: boolean;
  readonly transcript: Transcript;
}

/**
 * Transcripts on disk: `DIR/<hash of the room's name>/<meeting>.jsonl`, folders 0700, files 0600. The hash keeps names of
 * rooms, which may hold anything, out of paths.
 */
export class TranscriptFiles {
  readonly #options: TranscriptFilesOptions;

  constructor(options: TranscriptFilesOptions) {
    this.#options = options;
  }

  get dir(): string {
    return this.#options.dir;
  }

  /** Throws CaptionError `transcript_dir_unusable`. */
  async prepare(): Promise<void> {
    const { dir } = this.#options;
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
      await this.#warnOfOthers();
    } catch (error) {
      throw new CaptionError(
        'transcript_dir_unusable',
        `CAPTION_TRANSCRIPT_DIR ${dir} cannot be written: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  /** Whoever can write to the folder can have transcripts written elsewhere, read, or taken away. */
  async #warnOfOthers(): Promise<void> {
    const { dir, log } = this.#options;
    const mode = (await stat(dir)).mode & 0o777;
    if ((mode & WRITABLE_BY_OTHERS) === 0) return;
    log.warn({ dir, mode: mode.toString(8) }, 'others can write to the folder of transcripts; chmod 700 it');
  }

  /** A new file, or one that is gone on with. Whoever asked closes it. */
  open(head: MeetingLine, existingBytes?: number): MeetingFile {
    const { log, lost } = this.#options;
    return new MeetingFile({
      path: this.#pathOf(head.room, head.meeting),
      log,
      ...(existingBytes === undefined ? {} : { existingBytes }),
      ...(lost === undefined ? {} : { lost }),
    });
  }

  /** Undefined when there is none; a line that was cut off at the end is left out. */
  async read(room: RoomName, meeting: string): Promise<StoredMeeting | undefined> {
    return MEETING_ID.test(meeting) ? readMeeting(this.#pathOf(room, meeting)) : undefined;
  }

  has(room: RoomName, meeting: string): Promise<boolean> {
    return exists(this.#pathOf(room, meeting));
  }

  /** Ids of the meetings of a room, oldest first. */
  async list(room: RoomName): Promise<string[]> {
    const names = await namesIn(this.#folderOf(room));
    return names.map((name) => name.slice(0, -SUFFIX.length)).sort((a, b) => beganAt(a) - beganAt(b));
  }

  async remove(room: RoomName, meeting: string): Promise<boolean> {
    if (!MEETING_ID.test(meeting)) return false;
    const path = this.#pathOf(room, meeting);
    const isThere = await exists(path);
    await removeFile(path);
    return isThere;
  }

  /** Every file of every room. */
  async *paths(): AsyncGenerator<string> {
    const folders = await readdir(this.#options.dir).catch(() => []);
    for (const folder of folders) {
      const path = join(this.#options.dir, folder);
      if (!(await isOwnFolder(path))) continue;
      for (const name of await namesIn(path)) yield join(path, name);
    }
  }

  /** Deletes what is older than it may get. The number of files that went. */
  async removeExpired(nowMs: number): Promise<number> {
    const { retentionDays } = this.#options;
    if (retentionDays === 0) return 0;
    let removed = 0;
    for await (const path of this.paths()) {
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs < retentionDays * DAY_MS) continue;
      await removeFile(path);
      removed += 1;
    }
    return removed;
  }

  #folderOf(room: RoomName): string {
    return join(this.#options.dir, createHash('sha256').update(room).digest('hex').slice(0, 32));
  }

  #pathOf(room: RoomName, meeting: string): string {
    return join(this.#folderOf(room), `${meeting}${SUFFIX}`);
  }
}

/** Undefined for a file that is gone, or is no transcript. */
export async function readMeeting(path: string): Promise<StoredMeeting | undefined> {
  if (!(await isOwnFolder(dirname(path)))) return undefined;
  const content = await readFile(path, 'utf8').catch(() => undefined);
  if (content === undefined) return undefined;
  // What stands after the last line break was being written when the gateway died.
  const whole = content.slice(0, content.lastIndexOf('\n') + 1);
  const [first = '', ...lines] = whole.split('\n').slice(0, -1);
  const head = decodeLine(first, 0);
  if (head?.kind !== 'meeting') return undefined;
  const transcript = await readLines(lines, { head, droppedEntries: 0 });
  const last = lines.slice(-3).map((line) => decodeLine(line, 0));
  const end = last.find((line) => line?.kind === 'end');
  return {
    path,
    head,
    bytes: Buffer.byteLength(whole),
    ...(end === undefined ? {} : { end: { endedAtMs: end.endedAtMs, reason: end.reason } }),
    lastMs: transcript.entries.reduce((latest, entry) => Math.max(latest, endOf(entry)), head.startedAtMs),
    isTold: last.some((line) => line?.kind === 'webhook'),
    transcript,
  };
}

/** The folder of a room goes with its last file: its name would tell that there was a meeting. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
  // There are other meetings of the room, or one begins just now.
  await rmdir(dirname(path)).catch(() => undefined);
}

/** Not a link to somewhere else. */
export const isOwnFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const beganAt = (meeting: string): number => parseInt(meeting.split('-')[0] ?? '', 36);

const namesIn = async (folder: string): Promise<string[]> =>
  ((await isOwnFolder(folder)) ? await readdir(folder).catch(() => []) : []).filter(
    (name) => name.endsWith(SUFFIX) && MEETING_ID.test(name.slice(0, -SUFFIX.length)),
  );

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
