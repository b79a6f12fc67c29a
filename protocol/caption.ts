/**
 * The wire contract, version 1: what the gateway tells viewers, on every road (data channel, WebSocket).
 * JSON in UTF-8, at most `MAX_MESSAGE_BYTES` a message. See `codec.ts` for bytes and `reducer.ts` for meaning.
 *
 * Ordering: within one room and one `epochMs`, broadcast messages (`delta`, `gap`, `status`) carry `seq` 1, 2, 3, …
 * without holes. A viewer that finds a hole sends `resync` and is given a `snapshot` meant for it alone.
 * A gateway that starts captioning a room anew uses a larger `epochMs` and starts at `seq` 1 again.
 */
import type { AccessMessage, TokenMessage } from './access.js';
import type { EpochMs, ParticipantIdentity, RoomName, SegmentId } from './units.js';

export const PROTOCOL_VERSION = 1;
/** Topic of these messages on LiveKit's data channel. */
export const CAPTIONS_TOPIC = 'captions';
/** LiveKit's budget for one reliable data packet is 15 KiB; we stay below it on every road. */
export const MAX_MESSAGE_BYTES = 15_000;
/** How many of the last final segments a snapshot and a reducer keep. */
export const HISTORY_FINAL_SEGMENTS = 50;
/** How many of the last gaps a snapshot and a reducer keep. */
export const HISTORY_GAPS = 20;

export interface Speaker {
  readonly identity: ParticipantIdentity;
  /** What to show; may be empty. */
  readonly name: string;
  /** Tells speakers apart who share one identity (a meeting-room device with several people). */
  readonly label?: string;
}

export interface CaptionWord {
  /** As it is to be shown, punctuation attached: "Hello," */
  readonly text: string;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  /** 0 to 1; absent where the engine gives none. */
  readonly confidence?: number;
}

/** What changed in one segment since its last revision. */
export interface CaptionDelta {
  readonly kind: 'delta';
  readonly room: RoomName;
  readonly epochMs: EpochMs;
  readonly seq: number;
  readonly speaker: Speaker;
  /** LiveKit's track id (`TR_…`) where there is one. */
  readonly trackSid?: string;
  readonly segment: SegmentId;
  /** 1, 2, 3, … without holes within a segment. */
  readonly revision: number;
  /** The segment's words become the first `keep` words of revision - 1 followed by `words`. 0 at revision 1. */
  readonly keep: number;
  readonly words: readonly CaptionWord[];
  /** How many leading words will never change again. */
  readonly stable: number;
  /** Nothing of this segment changes afterwards. */
  readonly isFinal: boolean;
  /** BCP 47, for instance "en"; empty when unknown. */
  readonly language: string;
}

export const GAP_REASONS = [
  /** Recognition could not keep up and audio had to be dropped. */
  'overloaded',
  /** Recognition failed on this piece of audio, or was away for too long. */
  'recogniser_failed',
  /** The speaker's audio did not reach the gateway. */
  'audio_missing',
  /** The gateway that captioned this room ended. */
  'gateway_restarted',
] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/** Speech that was not captioned. */
export interface CaptionGap {
  readonly kind: 'gap';
  readonly room: RoomName;
  readonly epochMs: EpochMs;
  readonly seq: number;
  readonly speaker: Speaker;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly reason: GapReason;
}

export type CaptionServiceState = 'live' | 'degraded' | 'unavailable';

/** How captioning of this room is doing. */
export interface CaptionStatus {
  readonly kind: 'status';
  readonly room: RoomName;
  readonly epochMs: EpochMs;
  readonly seq: number;
  readonly state: CaptionServiceState;
  /** For a person, in plain English; empty when live. */
  readonly reason: string;
  /** What `reason` says, for programs that say it in another language; absent where there is no code, or several reasons. */
  readonly code?: string;
}

/** One segment, or a slice of a long one, inside a snapshot. */
export interface SnapshotSegment {
  readonly segment: SegmentId;
  readonly speaker: Speaker;
  readonly trackSid?: string;
  readonly revision: number;
  /** Index of `words[0]` within the segment: not 0 only where a long segment continues in the next part. */
  readonly firstWord: number;
  readonly words: readonly CaptionWord[];
  readonly stable: number;
  readonly isFinal: boolean;
  readonly language: string;
}

/**
 * Everything a viewer needs to be where the others are after message `seq`. Large rooms need several messages:
 * the parts `part` = 0 … `parts` - 1 with the same `epochMs` and `seq` are one snapshot and take effect together.
 */
export interface CaptionSnapshot {
  readonly kind: 'snapshot';
  readonly room: RoomName;
  readonly epochMs: EpochMs;
  /** The last broadcast message that is contained; 0 when none was sent yet. */
  readonly seq: number;
  readonly part: number;
  readonly parts: number;
  /** Finals in the order in which they ended, then open segments in the order in which they began. */
  readonly segments: readonly SnapshotSegment[];
  readonly gaps: readonly Omit<CaptionGap, 'kind' | 'room' | 'epochMs' | 'seq'>[];
  readonly state: CaptionServiceState;
  readonly reason: string;
  readonly code?: string;
}

/** Viewer to gateway: "I have a hole; send me a snapshot." */
export interface CaptionResync {
  readonly kind: 'resync';
  readonly room: RoomName;
  /** The last message that was applied; 0 for none. */
  readonly lastSeq: number;
}

/** Viewer to gateway, from those who measure (a probe): "this message is in my reducer." Changes nothing. */
export interface CaptionShown {
  readonly kind: 'shown';
  readonly room: RoomName;
  readonly epochMs: EpochMs;
  /** The broadcast message that was applied. */
  readonly seq: number;
}

/** Gateway to viewer, to everybody in the room, counted by `seq`. */
export type BroadcastMessage = CaptionDelta | CaptionGap | CaptionStatus;
export type RoomMessage = BroadcastMessage | CaptionSnapshot | CaptionResync | CaptionShown;
/** `token` and `access` are of a connection, and so on WebSockets only. */
export type CaptionMessage = RoomMessage | TokenMessage | AccessMessage;
