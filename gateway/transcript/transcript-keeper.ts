/**
 * What was said in all rooms, kept as transcripts. A meeting begins with the first thing said in a room where nobody was, and
 * ends when nobody has been there to speak for a while, or the room or the gateway goes.
 *
 *   Room ──finals, gaps──► TranscriptKeeper ──► MeetingTranscript (memory, bounded)
 *                                          └──► MeetingFile (disk, where switched on) ──► Webhook, at the end
 */
import { CaptionError, type RoomName } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { FinalSegment, Room } from '../rooms/room.js';
import { wallClockMs } from '../clock.js';
import type { GatewayPresence } from './gateway-presence.js';
import type { MeetingFile } from './meeting-file.js';
import { MeetingTranscript } from './meeting-transcript.js';
import type { Transcript, TranscriptEntry } from './transcript-entry.js';
import type { TranscriptFiles } from './transcript-files.js';
import { encodeLine, type MeetingEndReason } from './transcript-line.js';
import type { MeetingNotices } from './meeting-notices.js';
import { TranscriptMemory } from './transcript-memory.js';

const SWEEP_INTERVAL_MS = 500;

export interface TranscriptKeeperOptions {
  /** Bound of one meeting in memory. */
  readonly maxMeetingBytes: number;
  /** Bound of all of them together. */
  readonly maxBytes: number;
  /** Entries that went from memory because of a bound. */
  readonly dropped?: (entries: number) => void;
  /** A meeting ends when nobody has been there to speak for so long. */
  readonly endAfterMs: number;
  /** The folder, and which gateways share it; undefined where nothing is written. */
  readonly store?: { readonly files: TranscriptFiles; readonly presence: GatewayPresence };
  /** Undefined where nobody is told. */
  readonly notices?: MeetingNotices;
  readonly log: Logger;
}

export interface MeetingSummary {
  readonly meeting: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly isInMemory: boolean;
}

interface LiveMeeting {
  readonly transcript: MeetingTranscript;
  readonly file: MeetingFile | undefined;
  emptySinceMs: number | undefined;
}

interface RoomTranscripts {
  readonly room: Room;
  live: LiveMeeting | undefined;
  /** The last one that ended, as long as the room is remembered. */
  ended: Pick<LiveMeeting, 'transcript' | 'file'> | undefined;
}

/** `close` ends all meetings. */
export class TranscriptKeeper {
  readonly #options: TranscriptKeeperOptions;
  readonly #rooms = new Map<RoomName, RoomTranscripts>();
  readonly #ending = new Set<Promise<void>>();
  readonly #memory: TranscriptMemory;
  readonly #sweepTimer: NodeJS.Timeout;

  constructor(options: TranscriptKeeperOptions) {
    this.#options = options;
    this.#memory = new TranscriptMemory(options);
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#sweepTimer.unref();
  }

  /** Of all meetings in memory. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /** A room begins: it is listened to from now on. */
  roomOpened(room: Room): void {
    const transcripts: RoomTranscripts = { room, live: undefined, ended: undefined };
    this.#rooms.set(room.name, transcripts);
    room.recorder = {
      segment: (final) => this.#record(transcripts, segmentEntry(final)),
      gap: (gap) => this.#record(transcripts, { kind: 'gap', ...gap }),
    };
  }

  /** A room is forgotten. */
  roomClosed(room: Room): void {
    const transcripts = this.#rooms.get(room.name);
    if (transcripts?.room !== room) return;
    this.#rooms.delete(room.name);
    this.#end(transcripts, 'everybody_left');
    this.#forgetEnded(transcripts);
  }

  /** The meeting that goes on in a room, or the last one that ended there; or the one named, also from the disk. */
  async read(name: RoomName, meeting?: string): Promise<Transcript | undefined> {
    const { live, ended } = await this.#inMemory(name);
    const inMemory = [live?.transcript, ended].find(
      (candidate) => candidate !== undefined && (meeting === undefined || candidate.head.meeting === meeting),
    );
    if (inMemory !== undefined && inMemory.droppedEntries === 0) return inMemory.read();
    const id = inMemory?.head.meeting ?? meeting;
    if (id === undefined) return undefined;
    await live?.file?.flushed();
    const stored = await this.#options.store?.files.read(name, id);
    return stored?.transcript ?? inMemory?.read();
  }

  async list(name: RoomName): Promise<MeetingSummary[]> {
    const { live, ended } = await this.#inMemory(name);
    const { files } = this.#options.store ?? {};
    const inMemory = [ended, live?.transcript].filter((transcript) => transcript !== undefined);
    const known = new Set(inMemory.map(({ head }) => head.meeting));
    const summaries: MeetingSummary[] = [];
    for (const id of (await files?.list(name)) ?? []) {
      const stored = known.has(id) ? undefined : await files?.read(name, id);
      if (stored !== undefined)
        summaries.push(
          summaryOf(id, {
            ...stored.head,
            endedAtMs: stored.end?.endedAtMs,
            isInMemory: false,
          }),
        );
    }
    for (const { head, ended: end } of inMemory)
      summaries.push(summaryOf(head.meeting, { ...head, endedAtMs: end?.endedAtMs, isInMemory: true }));
    return summaries;
  }

  /**
   * Deletes one meeting of a room, or all of them, wherever they are; nobody is told of the end of one that goes on. Throws
   * CaptionError `transcript_elsewhere`, and deletes nothing, while another gateway writes one of them.
   */
  async forget(name: RoomName, meeting?: string): Promise<number> {
    const isMeant = (id: string): boolean => meeting === undefined || id === meeting;
    const { store, notices } = this.#options;
    const stored = async (): Promise<string[]> => ((await store?.files.list(name)) ?? []).filter(isMeant);
    for (const id of await stored()) await this.#requireOurs(name, id);
    const forgotten = new Set<string>();
    const transcripts = this.#rooms.get(name);
    if (transcripts !== undefined) await this.#forgetInMemory(transcripts, { isMeant, forgotten });
    for (const id of await stored()) {
      if ((await store?.files.remove(name, id)) === true) forgotten.add(id);
    }
    for (const id of forgotten) notices?.forget(id);
    this.#options.log.info({ meetings: forgotten.size }, 'transcripts deleted on request');
    return forgotten.size;
  }

  /** Ends all meetings; resolves when that is written. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#sweepTimer);
    for (const transcripts of this.#rooms.values()) this.#end(transcripts, 'gateway_stopped');
    await Promise.all(this.#ending);
  }

  #record(transcripts: RoomTranscripts, entry: TranscriptEntry): void {
    const { room } = transcripts;
    // What latecomers must not see is not for anybody to read later either.
    if (!room.showsHistory) return;
    const live = (transcripts.live ??= this.#begin(room));
    const line = this.#memory.add(live.transcript, entry);
    live.file?.append(line);
  }

  #begin(room: Room): LiveMeeting {
    const { maxMeetingBytes, store, notices } = this.#options;
    const former = this.#rooms.get(room.name)?.ended?.transcript.head.startedAtMs;
    const transcript = new MeetingTranscript({
      room: room.name,
      // The first meeting of a room begins with the room; a later one now, a moment before what was just said.
      startedAtMs: former === undefined ? room.epochMs : Math.floor(wallClockMs()),
      maxBytes: maxMeetingBytes,
      webhook: notices !== undefined,
      gateway: store?.presence.id ?? '',
    });
    const file = store?.files.open(transcript.head);
    file?.append(encodeLine(transcript.head, 0));
    return { transcript, file, emptySinceMs: undefined };
  }

  #end(transcripts: RoomTranscripts, reason: MeetingEndReason): void {
    const { live } = transcripts;
    if (live === undefined) return;
    this.#forgetEnded(transcripts);
    transcripts.live = undefined;
    transcripts.ended = live;
    live.transcript.end({ endedAtMs: Math.floor(wallClockMs()), reason });
    // As it is now: what is over is the first to go when memory is full.
    const whole = this.#options.notices === undefined ? undefined : live.transcript.read();
    this.#memory.ended(live.transcript);
    const ending = this.#seal(live, whole).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  async #seal({ transcript, file }: LiveMeeting, whole: Promise<Transcript> | undefined): Promise<void> {
    const { ended, head } = transcript;
    if (ended === undefined) return;
    file?.append(encodeLine({ kind: 'end', ...ended }, 0));
    await file?.close();
    if (whole !== undefined) this.#options.notices?.ended(await whole, ended.reason);
    this.#options.log.info({ meeting: head.meeting, reason: ended.reason }, 'meeting ended');
  }

  async #forgetInMemory(
    transcripts: RoomTranscripts,
    { isMeant, forgotten }: { isMeant: (id: string) => boolean; forgotten: Set<string> },
  ): Promise<void> {
    const { live, ended, room } = transcripts;
    if (ended !== undefined && isMeant(ended.transcript.head.meeting)) {
      this.#forgetEnded(transcripts);
      forgotten.add(ended.transcript.head.meeting);
    }
    if (live !== undefined && isMeant(live.transcript.head.meeting)) {
      transcripts.live = undefined;
      this.#memory.forget(live.transcript);
      forgotten.add(live.transcript.head.meeting);
      room.forgetHistory();
      await live.file?.close();
    }
  }

  /** What is kept of a room, without a meeting whose file was deleted by another gateway. */
  async #inMemory(name: RoomName): Promise<{ live?: LiveMeeting; ended?: MeetingTranscript }> {
    const transcripts = this.#rooms.get(name);
    if (transcripts === undefined) return {};
    const { ended } = transcripts;
    const { files } = this.#options.store ?? {};
    const isGone =
      ended?.file?.isStored === true && (await files?.has(name, ended.transcript.head.meeting)) === false;
    // Meanwhile another one may have ended.
    if (isGone && transcripts.ended === ended) this.#forgetEnded(transcripts);
    const { live, ended: kept } = transcripts;
    return {
      ...(live === undefined ? {} : { live }),
      ...(kept === undefined ? {} : { ended: kept.transcript }),
    };
  }

  #forgetEnded(transcripts: RoomTranscripts): void {
    if (transcripts.ended !== undefined) this.#memory.forget(transcripts.ended.transcript);
    transcripts.ended = undefined;
  }

  async #requireOurs(name: RoomName, id: string): Promise<void> {
    const { store } = this.#options;
    const stored = await store?.files.read(name, id);
    if (store === undefined || stored === undefined || stored.end !== undefined) return;
    const { gateway } = stored.head;
    if (gateway === store.presence.id || !(await store.presence.isAlive(gateway))) return;
    throw new CaptionError(
      'transcript_elsewhere',
      'Another gateway writes a transcript of this room: ask that one, or wait until the meeting has ended.',
      { retryable: true },
    );
  }

  #sweep(): void {
    const nowMs = wallClockMs();
    for (const transcripts of this.#rooms.values()) {
      const { live, room } = transcripts;
      if (live === undefined) continue;
      if (room.speakerCount > 0) live.emptySinceMs = undefined;
      else live.emptySinceMs ??= nowMs;
      if (live.emptySinceMs !== undefined && nowMs - live.emptySinceMs >= this.#options.endAfterMs)
        this.#end(transcripts, 'everybody_left');
    }
  }
}

const segmentEntry = ({ segment, author }: FinalSegment): TranscriptEntry => ({
  kind: 'segment',
  segment: segment.segment,
  speaker: segment.speaker,
  ...(author === undefined ? {} : { author }),
  language: segment.language,
  words: segment.words,
});

const summaryOf = (
  meeting: string,
  known: { startedAtMs: number; endedAtMs: number | undefined; isInMemory: boolean },
): MeetingSummary => ({
  meeting,
  startedAt: new Date(known.startedAtMs).toISOString(),
  ...(known.endedAtMs === undefined ? {} : { endedAt: new Date(known.endedAtMs).toISOString() }),
  isInMemory: known.isInMemory,
});
