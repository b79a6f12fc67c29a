/**
 * What was said in all rooms, kept as transcripts. A transcript begins with the first thing said, and ends with the meeting, of
 * which the room tells, or when the room or the gateway goes.
 *
 *   Room ──finals, gaps──► TranscriptKeeper ──► MeetingTranscript (memory, bounded)
 *                                          └──► MeetingFile (disk, where switched on) ──► Webhook, at the end
 */
import { CaptionError, type ParticipantIdentity, type RoomName } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { FinalSegment, Room } from '../rooms/room.js';
import { wallClockMs } from '../clock.js';
import type { GatewayPresence } from './gateway-presence.js';
import type { MeetingFile } from './meeting-file.js';
import { MeetingTranscript } from './meeting-transcript.js';
import { startOf, type Transcript, type TranscriptEntry } from './transcript-entry.js';
import type { TranscriptFiles } from './transcript-files.js';
import { encodeLine, type MeetingEndReason } from './transcript-line.js';
import type { MeetingNotices } from './meeting-notices.js';
import { TranscriptMemory } from './transcript-memory.js';

export interface TranscriptKeeperOptions {
  /** Bound of one meeting in memory. */
  readonly maxMeetingBytes: number;
  /** Bound of all of them together. */
  readonly maxBytes: number;
  /** Entries that went from memory because of a bound. */
  readonly dropped?: (entries: number) => void;
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
}

/** A meeting that is over, for whoever decides who may read its transcript. */
export interface FormerMeeting {
  readonly endedAtMs: number;
  readonly attendees: ReadonlySet<ParticipantIdentity>;
}

interface EndedMeeting extends LiveMeeting, FormerMeeting {}

interface RoomTranscripts {
  readonly room: Room;
  live: LiveMeeting | undefined;
  /** The last one that ended, as long as the room is remembered. */
  ended: EndedMeeting | undefined;
}

/** `close` ends all meetings. */
export class TranscriptKeeper {
  readonly #options: TranscriptKeeperOptions;
  readonly #rooms = new Map<RoomName, RoomTranscripts>();
  readonly #ending = new Set<Promise<void>>();
  readonly #memory: TranscriptMemory;

  constructor(options: TranscriptKeeperOptions) {
    this.#options = options;
    this.#memory = new TranscriptMemory(options);
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
      // A copy: those who are still there will be at the next one.
      meetingEnded: (attendees) =>
        this.#end(transcripts, { reason: 'everybody_left', attendees: new Set(attendees) }),
    };
  }

  /** A room is forgotten. */
  roomClosed(room: Room): void {
    const transcripts = this.#rooms.get(room.name);
    if (transcripts?.room !== room) return;
    this.#rooms.delete(room.name);
    this.#end(transcripts, { reason: 'everybody_left' });
    this.#forgetEnded(transcripts);
  }

  /** The meeting that goes on in a room, or the last one that ended there if `mayRead` says so. */
  async readLatest(
    name: RoomName,
    mayRead: (former: FormerMeeting) => boolean,
  ): Promise<Transcript | undefined> {
    const { live, ended } = await this.#inMemory(name);
    const latest = live ?? (ended !== undefined && mayRead(ended) ? ended : undefined);
    return latest === undefined ? undefined : this.#readWhole(name, latest);
  }

  /** A certain meeting, also from the disk. */
  async read(name: RoomName, meeting: string): Promise<Transcript | undefined> {
    const { live, ended } = await this.#inMemory(name);
    const inMemory = [live, ended].find((known) => known?.transcript.head.meeting === meeting);
    if (inMemory !== undefined) return this.#readWhole(name, inMemory);
    return (await this.#options.store?.files.read(name, meeting))?.transcript;
  }

  /** From the disk where memory did not hold all of it. */
  async #readWhole(name: RoomName, { transcript, file }: LiveMeeting): Promise<Transcript> {
    if (transcript.droppedEntries === 0) return transcript.read();
    await file?.flushed();
    const stored = await this.#options.store?.files.read(name, transcript.head.meeting);
    return stored?.transcript ?? transcript.read();
  }

  async list(name: RoomName): Promise<MeetingSummary[]> {
    const { live, ended } = await this.#inMemory(name);
    const { files } = this.#options.store ?? {};
    const inMemory = [ended, live].flatMap((meeting) => (meeting === undefined ? [] : [meeting.transcript]));
    const known = new Set(inMemory.map(({ head }) => head.meeting));
    const summaries: MeetingSummary[] = [];
    for (const id of (await files?.list(name)) ?? []) {
      const stored = known.has(id) ? undefined : await files?.read(name, id);
      if (stored !== undefined)
        summaries.push(
          summaryOf(id, {
            startedAtMs: stored.transcript.startedAtMs,
            endedAtMs: stored.end?.endedAtMs,
            isInMemory: false,
          }),
        );
    }
    for (const { head, startedAtMs, ended: end } of inMemory)
      summaries.push(summaryOf(head.meeting, { startedAtMs, endedAtMs: end?.endedAtMs, isInMemory: true }));
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
    if (meeting === undefined) transcripts?.room.forgetHistory();
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
    for (const transcripts of this.#rooms.values()) this.#end(transcripts, { reason: 'gateway_stopped' });
    await Promise.all(this.#ending);
  }

  #record(transcripts: RoomTranscripts, entry: TranscriptEntry): void {
    const { room } = transcripts;
    // What latecomers must not see is not for anybody to read later either.
    if (!room.showsHistory) return;
    const live = (transcripts.live ??= this.#begin(room.name, entry));
    const line = this.#memory.add(live.transcript, entry);
    live.file?.append(line);
  }

  #begin(room: RoomName, first: TranscriptEntry): LiveMeeting {
    const { maxMeetingBytes, store, notices } = this.#options;
    const transcript = new MeetingTranscript({
      room,
      startedAtMs: Math.max(0, Math.floor(startOf(first))),
      maxBytes: maxMeetingBytes,
      webhook: notices !== undefined,
      gateway: store?.presence.id ?? '',
    });
    const file = store?.files.open(transcript.head);
    file?.append(encodeLine(transcript.head, 0));
    return { transcript, file };
  }

  #end(
    transcripts: RoomTranscripts,
    { reason, attendees = new Set() }: Partial<FormerMeeting> & { readonly reason: MeetingEndReason },
  ): void {
    const { live } = transcripts;
    if (live === undefined) return;
    this.#forgetEnded(transcripts);
    const endedAtMs = Math.floor(wallClockMs());
    transcripts.live = undefined;
    transcripts.ended = { ...live, endedAtMs, attendees };
    live.transcript.end({ endedAtMs, reason });
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
      room.forgetHistory('former meetings');
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
  async #inMemory(name: RoomName): Promise<Pick<RoomTranscripts, 'live' | 'ended'>> {
    const transcripts = this.#rooms.get(name);
    if (transcripts === undefined) return { live: undefined, ended: undefined };
    const { ended } = transcripts;
    const { files } = this.#options.store ?? {};
    const isGone =
      ended?.file?.isStored === true && (await files?.has(name, ended.transcript.head.meeting)) === false;
    // Meanwhile another one may have ended.
    if (isGone && transcripts.ended === ended) this.#forgetEnded(transcripts);
    return { live: transcripts.live, ended: transcripts.ended };
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
