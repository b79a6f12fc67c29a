import { randomBytes } from 'node:crypto';
import type { RoomName } from '../../protocol/index.js';
import { TimeSlices } from './time-slices.js';
import { startOf, type Transcript, type TranscriptEntry } from './transcript-entry.js';
import { decodeLine, encodeLine, type MeetingEnd, type MeetingLine } from './transcript-line.js';

/** What a line costs besides its characters. */
const LINE_OVERHEAD_BYTES = 64;
/** Meeting ids, which become names of files. */
export const MEETING_ID = /^[a-z0-9]{1,12}-[a-f0-9]{12}$/;

/** One meeting in memory: all of it, up to a bound in bytes; above it the oldest entries go, and are counted. */
export class MeetingTranscript {
  /** `startedAtMs`: what the times of lines count from, the beginning of what was final first. */
  readonly head: MeetingLine;
  readonly #maxBytes: number;
  readonly #lines: string[] = [];
  #bytes = 0;
  #droppedEntries = 0;
  #ended: MeetingEnd | undefined;
  #startedAtMs: number;

  constructor(options: {
    room: RoomName;
    startedAtMs: number;
    maxBytes: number;
    webhook: boolean;
    gateway: string;
  }) {
    const { room, startedAtMs, webhook, gateway } = options;
    const meeting = `${startedAtMs.toString(36)}-${randomBytes(6).toString('hex')}`;
    this.head = { kind: 'meeting', room, meeting, startedAtMs, webhook, gateway };
    this.#maxBytes = options.maxBytes;
    this.#startedAtMs = startedAtMs;
  }

  /** When the first word was spoken, or the first gap began, also of what is not kept any more. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get droppedEntries(): number {
    return this.#droppedEntries;
  }

  get ended(): MeetingEnd | undefined {
    return this.#ended;
  }

  /** The line that was added, for the disk. */
  add(entry: TranscriptEntry): string {
    const line = encodeLine({ kind: 'entry', entry }, this.head.startedAtMs);
    this.#startedAtMs = Math.min(this.#startedAtMs, startOf(entry));
    this.#lines.push(line);
    this.#bytes += costOf(line);
    this.shrink(this.#maxBytes);
    return line;
  }

  /** Lets the oldest entries go until no more than so many bytes are left. How many went. */
  shrink(toBytes: number): number {
    let count = 0;
    while (this.#bytes > toBytes && count < this.#lines.length) {
      this.#bytes -= costOf(this.#lines[count] ?? '');
      count += 1;
    }
    if (count > 0) this.#lines.splice(0, count);
    this.#droppedEntries += count;
    return count;
  }

  end(ended: MeetingEnd): void {
    this.#ended ??= ended;
  }

  read(): Promise<Transcript> {
    return readLines([...this.#lines], {
      head: this.head,
      startedAtMs: this.#startedAtMs,
      droppedEntries: this.#droppedEntries,
      ...(this.#ended === undefined ? {} : { endedAtMs: this.#ended.endedAtMs }),
    });
  }
}

const costOf = (line: string): number => Buffer.byteLength(line) + LINE_OVERHEAD_BYTES;

/** A transcript from its lines, whatever order they are in; lines that cannot be read are left out. */
export async function readLines(
  lines: readonly string[],
  known: { head: MeetingLine; startedAtMs?: number; droppedEntries: number; endedAtMs?: number },
): Promise<Transcript> {
  const { head } = known;
  const slices = new TimeSlices();
  const entries: TranscriptEntry[] = [];
  let { droppedEntries, endedAtMs } = known;
  for (const text of lines) {
    await slices.breathe();
    const line = decodeLine(text, head.startedAtMs);
    if (line?.kind === 'entry') entries.push(line.entry);
    else if (line?.kind === 'lost') droppedEntries += line.entries;
    else if (line?.kind === 'end') endedAtMs = line.endedAtMs;
  }
  entries.sort((a, b) => startOf(a) - startOf(b));
  const [first] = entries;
  return {
    room: head.room,
    meeting: head.meeting,
    // Who began first is not always done first.
    startedAtMs: known.startedAtMs ?? (first === undefined ? head.startedAtMs : startOf(first)),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    droppedEntries,
    entries,
  };
}
