import {
  applyMessage,
  type BroadcastMessage,
  type CaptionGap,
  type CaptionServiceState,
  type CaptionState,
  encodeMessage,
  epochMs,
  type EpochMs,
  MAX_NAME_CHARS,
  participantIdentity,
  type ParticipantIdentity,
  type RoomName,
  type SegmentId,
  type SegmentState,
  splitDelta,
  startEpoch,
} from '../../protocol/index.js';
import type { Author } from '../transcript/transcript-entry.js';
import type { DeltaDraft, SpeakerSource } from './delta-assembler.js';

import type { RoomLatency } from '../latency/room-latency.js';
import { EpochClock } from '../clock.js';
import { Attendance, type Visit } from './attendance.js';
import { type HistoryStart, RoomHistory } from './room-history.js';

/** Somebody who is shown what a room says. Must not block. */
export interface RoomViewer {
  /** What was said so far, as far as this viewer may see it, in one or more messages: the first thing that a viewer is sent. */
  sendSnapshot(parts: readonly Uint8Array[]): void;
  /** One more message, encoded and as it is; `room.state` contains it already. The bytes are shared among viewers: not to be changed. */
  send(bytes: Uint8Array, message: BroadcastMessage): void;
}

/** How captioning does, as far as one cause goes: recognition, a setting of the room, a key that is missing. */
export interface StatusNotice {
  readonly state: CaptionServiceState;
  /** For a person; empty when live. */
  readonly reason: string;
  /** What `reason` says, for programs that say it in another language. */
  readonly code?: string | undefined;
}

const SEVERITY: Readonly<Record<CaptionServiceState, number>> = { live: 0, degraded: 1, unavailable: 2 };

/** A segment that will not change any more, and who wrote it where that was a person. */
export interface FinalSegment {
  readonly segment: SegmentState;
  readonly author?: Author;
}

/** Somebody who keeps what is said. Must not block. */
export interface RoomRecorder {
  /** Segments with at least one word. */
  segment(final: FinalSegment): void;
  gap(gap: CaptionState['gaps'][number]): void;
  /** Nobody has been here to speak for long enough. */
  meetingEnded(attendees: ReadonlySet<ParticipantIdentity>): void;
}

/** Whose recognition a person stands in for. */
export type Replaced = 'everybody' | readonly ParticipantIdentity[];

export type GapDraft = Omit<CaptionGap, 'kind' | 'room' | 'epochMs' | 'seq'>;

/** One meeting room: its captions so far and those who see them. The store is the same reducer that viewers use. */
export class Room {
  readonly name: RoomName;
  readonly epochMs: EpochMs;
  /** What is measured here; undefined where nobody wants to know. */
  readonly latency: RoomLatency | undefined;
  /** Of all times in its messages. */
  readonly clock = new EpochClock();
  readonly #viewers = new Set<RoomViewer>();
  readonly #speakers = new Set<string>();
  readonly #history = new RoomHistory();
  readonly #attendance = new Attendance(() => this.historyStart);
  #state: CaptionState;
  /** Something was said since the last meeting ended; since when nobody has been here to speak. */
  #meeting: { emptySinceMs: number | undefined } | undefined;
  readonly #notices = new Map<string, StatusNotice>();
  readonly #sources = new Map<string, SpeakerSource>();
  readonly #replacements = new Set<{ readonly replaced: Replaced }>();
  /** Open segments that persons write. */
  readonly #written = new Set<SegmentId>();
  #nextSegmentPrefix = 0;
  #liveSinceMs: number | undefined;
  /** Keeps what is said, if anybody does. */
  recorder: RoomRecorder | undefined;
  /** Whether those who come late are shown what was said before. Default true. */
  showsHistory = true;
  /** Since when nobody has been here; undefined while somebody is. */
  emptySinceMs: number | undefined;

  constructor(name: RoomName, nowMs: number, latency?: RoomLatency) {
    this.name = name;
    this.latency = latency;
    this.epochMs = epochMs(Math.floor(nowMs));
    this.#state = startEpoch(name, this.epochMs);
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  get speakerCount(): number {
    return this.#speakers.size;
  }

  get state(): CaptionState {
    return this.#state;
  }

  get hasCaptions(): boolean {
    return this.#state.finals.length + this.#state.open.length > 0;
  }

  /** Since when somebody has been here to speak or to write, Unix epoch milliseconds; undefined while nobody is. */
  get liveSinceMs(): number | undefined {
    return this.#liveSinceMs;
  }

  addSpeaker(stream: string): void {
    // A clock that was set back is followed between meetings: nobody sees anything that would come later then.
    if (this.#speakers.size === 0 && !this.hasCaptions) this.clock.restart();
    this.#liveSinceMs ??= this.clock.now();
    this.#speakers.add(stream);
  }

  removeSpeaker(stream: string): void {
    this.#speakers.delete(stream);
    if (this.#speakers.size === 0) this.#liveSinceMs = undefined;
  }

  /** Who is being recognised; `stream` tells one pipeline from another. */
  setSource(stream: string, source: SpeakerSource): void {
    this.#attendance.attended(source.speaker.identity);
    this.#sources.set(stream, source);
  }

  removeSource(stream: string): void {
    this.#sources.delete(stream);
  }

  /** Those whose voices reach this gateway, talking or not. */
  get sources(): readonly SpeakerSource[] {
    return [...this.#sources.values()];
  }

  /** From now on a person writes what these people say, until the result is called; several persons may at once. */
  replaceRecognition(replaced: Replaced): () => void {
    // An object of its own: two captioners may stand in for the same people, and one of them leaves.
    const replacement = { replaced };
    this.#replacements.add(replacement);
    return () => this.#replacements.delete(replacement);
  }

  /** Whether a person writes what this speaker says. */
  isReplaced(identity: ParticipantIdentity): boolean {
    for (const { replaced } of this.#replacements)
      if (replaced === 'everybody' || replaced.includes(identity)) return true;
    return false;
  }

  /** Whether a person writes this open segment. */
  isWritten(segment: SegmentId): boolean {
    return this.#written.has(segment);
  }

  /** From where on those who come now may see what the room said. */
  get historyStart(): HistoryStart {
    return this.#history.startFor(this.#state, { showsHistory: this.showsHistory });
  }

  /**
   * Somebody comes to see. Who has an identity that is known for certain, and is back within a minute, was there all along.
   * The visit is to be left.
   */
  visit(identity?: ParticipantIdentity): Visit {
    return this.#attendance.visit(identity);
  }

  /** Shows `viewer` what was said `since`, and everything from now on. */
  addViewer(viewer: RoomViewer, since: HistoryStart = this.historyStart): void {
    viewer.sendSnapshot(this.snapshotFor(since));
    this.#viewers.add(viewer);
  }

  removeViewer(viewer: RoomViewer): void {
    this.#viewers.delete(viewer);
  }

  /** The present state as those may see it who came then. */
  stateFor(since: HistoryStart): CaptionState {
    return this.#history.stateFor(this.#state, since);
  }

  /** The same encoded: one or more messages. Made once for all viewers who may see the same. */
  snapshotFor(since: HistoryStart): readonly Uint8Array[] {
    return this.#history.snapshotFor(this.#state, since);
  }

  /** Whether those who came then may see what was told of a segment, now. */
  shows(told: SegmentState, since: HistoryStart): boolean {
    return this.#history.shows(this.#state, told, since);
  }

  /** Prefix for the segment ids of one more stream; differs from that of every other stream of this room, ever. */
  newSegmentPrefix(): string {
    this.#nextSegmentPrefix += 1;
    return `${this.epochMs.toString(36)}-${this.#nextSegmentPrefix.toString(36)}`;
  }

  /** The next revision of a segment; more than one where it does not fit one message. `author`: the person who writes it. */
  publishDelta(draft: DeltaDraft, author?: Author): void {
    this.#meetingGoesOn();
    if (author !== undefined) this.#attendance.attended(participantIdentity(author.identity));
    const { seq, open } = this.#state;
    const revision = 1 + (open.find(({ segment }) => segment === draft.segment)?.revision ?? 0);
    const header = { kind: 'delta', room: this.name, epochMs: this.epochMs, seq: seq + 1, revision } as const;
    for (const part of splitDelta({ ...header, ...draft })) this.#broadcast(part);
    if (author !== undefined && !draft.isFinal) this.#written.add(draft.segment);
    else this.#written.delete(draft.segment);
    const segment = draft.isFinal ? this.#state.finals.at(-1) : undefined;
    if (segment !== undefined && segment.words.length > 0)
      this.recorder?.segment({ segment, ...(author === undefined ? {} : { author }) });
  }

  publishGap(draft: GapDraft): void {
    this.#meetingGoesOn();
    this.#broadcast({
      kind: 'gap',
      room: this.name,
      epochMs: this.epochMs,
      seq: this.#state.seq + 1,
      ...draft,
    });
    this.recorder?.gap(draft);
    const { startMs, endMs, reason } = draft;
    const atMs = this.clock.toMonotonic(startMs);
    this.latency?.observer.gap(this.name, { atMs, durationMs: Math.max(0, endMs - startMs), reason });
  }

  /** What was said until now is deleted, or what was said in meetings that are over; those who are here keep what they see. */
  forgetHistory(which: 'all' | 'former meetings' = 'all'): void {
    this.#state = this.#history.forget(this.#state, which);
  }

  /**
   * A meeting begins with the first thing said, and is over when nobody has been here to speak for so long. Then nobody who
   * comes later is shown what was said; those who are here keep what they see. To be called again and again.
   */
  endMeetingIfOver({ nowMs, endAfterMs }: { nowMs: number; endAfterMs: number }): void {
    if (this.#meeting === undefined) return;
    if (this.#speakers.size > 0) {
      this.#meeting.emptySinceMs = undefined;
      return;
    }
    this.#meeting.emptySinceMs ??= nowMs;
    if (nowMs - this.#meeting.emptySinceMs < endAfterMs) return;
    this.#meeting = undefined;
    this.#history.meetingEnded(this.#state);
    this.recorder?.meetingEnded(this.#attendance.attendees);
  }

  #meetingGoesOn(): void {
    if (this.#meeting !== undefined) return;
    this.#meeting = { emptySinceMs: undefined };
    this.#attendance.meetingBegan();
    for (const { speaker } of this.#sources.values()) this.#attendance.attended(speaker.identity);
  }

  /**
   * What one `cause` means for this room. Viewers are told the worst of all causes, with all reasons of that state; repeating
   * what they know does nothing.
   */
  setStatus(cause: string, notice: StatusNotice): void {
    if (notice.state === 'live') this.#notices.delete(cause);
    else this.#notices.set(cause, notice);
    const worst = Math.max(0, ...[...this.#notices.values()].map(({ state }) => SEVERITY[state]));
    const deciding = [...this.#notices.values()].filter(({ state }) => SEVERITY[state] === worst);
    this.#tellStatus({
      state: deciding[0]?.state ?? 'live',
      reason: deciding.map(({ reason }) => reason).join(' '),
      code: deciding.length === 1 ? deciding[0]?.code : undefined,
    });
  }

  #tellStatus({ state, code, ...full }: StatusNotice): void {
    const reason = full.reason.slice(0, MAX_NAME_CHARS);
    if (this.#state.state === state && this.#state.reason === reason) return;
    this.#broadcast({
      kind: 'status',
      room: this.name,
      epochMs: this.epochMs,
      seq: this.#state.seq + 1,
      state,
      reason,
      ...(code === undefined ? {} : { code }),
    });
  }

  #broadcast(message: BroadcastMessage): void {
    // First of all: what cannot be encoded must not get into the snapshots of others.
    const bytes = encodeMessage(message);
    this.#state = applyMessage(this.#state, message);
    this.#history.published(this.#state, message);
    for (const viewer of this.#viewers) viewer.send(bytes, message);
  }
}
