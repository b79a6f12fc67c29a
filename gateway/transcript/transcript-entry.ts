/** What a transcript consists of. Nothing that may still change is ever in one: finals and gaps only. */
import type { CaptionWord, EpochMs, GapReason, RoomName, SegmentId, Speaker } from '../../protocol/index.js';

/** Whoever wrote a segment, where it was not recognition. */
export interface Author {
  readonly identity: string;
  /** May be empty. */
  readonly name: string;
}

/** One final segment. Times are Unix epoch milliseconds, as in captions. */
export interface TranscriptSegment {
  readonly kind: 'segment';
  readonly segment: SegmentId;
  readonly speaker: Speaker;
  readonly author?: Author;
  /** BCP 47; empty when unknown. */
  readonly language: string;
  /** At least one. */
  readonly words: readonly CaptionWord[];
}

/** Speech that was not captioned. */
export interface TranscriptGap {
  readonly kind: 'gap';
  readonly speaker: Speaker;
  readonly startMs: EpochMs;
  readonly endMs: EpochMs;
  readonly reason: GapReason;
}

export type TranscriptEntry = TranscriptSegment | TranscriptGap;

/** Everything that was said in one meeting, as far as it is kept. */
export interface Transcript {
  /** Absent for a recording. */
  readonly room?: RoomName;
  /** Names this meeting among all meetings of all rooms. */
  readonly meeting?: string;
  /** Times of cues count from here; for a recording 0, its own beginning. */
  readonly startedAtMs: number;
  /** Absent while the meeting goes on. */
  readonly endedAtMs?: number;
  /** Entries that are not kept any more, the oldest, because the bound of memory was reached. */
  readonly droppedEntries: number;
  /** Everybody of the whole meeting, in the order in which they appeared; absent where `entries` are the whole meeting. */
  readonly people?: readonly { readonly identity: string; readonly name: string; readonly label?: string }[];
  /** In the order in which they began. */
  readonly entries: readonly TranscriptEntry[];
}

export const startOf = (entry: TranscriptEntry): number =>
  entry.kind === 'gap' ? entry.startMs : (entry.words[0]?.startMs ?? 0);

export const endOf = (entry: TranscriptEntry): number =>
  entry.kind === 'gap'
    ? entry.endMs
    : entry.words.reduce((latest, { endMs }) => Math.max(latest, endMs), startOf(entry));

/** Tells speakers apart who share an identity. */
export const speakerKey = ({ identity, label }: Speaker): string => JSON.stringify([identity, label ?? '']);
