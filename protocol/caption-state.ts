import type {
  BroadcastMessage,
  CaptionResync,
  CaptionServiceState,
  CaptionSnapshot,
  SnapshotSegment,
} from './caption.js';
import { epochMs, type EpochMs, type RoomName } from './units.js';

/** One segment as it stands: all its words. */
export type SegmentState = Omit<SnapshotSegment, 'firstWord'>;
/** Speech that was not captioned. */
export type GapState = CaptionSnapshot['gaps'][number];

/**
 * What is known of one room's captions. Immutable: `applyMessage` makes the next one, and gives back the same object
 * where a message changed nothing.
 */
export interface CaptionState {
  readonly room: RoomName;
  /** Which run of captioning this shows; 0 while nothing is known. */
  readonly epochMs: EpochMs;
  /** The last broadcast message of the epoch that is contained; 0 for none. */
  readonly seq: number;
  /** The last `HISTORY_FINAL_SEGMENTS` final segments, in the order in which they ended. */
  readonly finals: readonly SegmentState[];
  /** Segments that may still change, in the order in which they began. */
  readonly open: readonly SegmentState[];
  /** The last `HISTORY_GAPS` gaps, in the order in which they were told. */
  readonly gaps: readonly GapState[];
  /** How captioning is doing; "live" until told otherwise. */
  readonly state: CaptionServiceState;
  /** For a person; empty when live. */
  readonly reason: string;
  /** What `reason` says, for programs; undefined where there is no code. */
  readonly code?: string | undefined;
  /** Something is missing: send `resyncMessage(state)` unless it heals itself within a moment (see the README). */
  readonly needsResync: boolean;
  /** Book-keeping of the reducer. Not for display. */
  readonly reception: Reception;
}

/** What has arrived but does not show yet. */
export interface Reception {
  /** The newest epoch that any message mentioned, … */
  readonly heardEpochMs: EpochMs;
  /** … and its largest `seq` that any message mentioned. */
  readonly heardSeq: number;
  /** Messages of the newest epoch that came too early, by ascending `seq`; at most `MAX_WAITING_MESSAGES`. */
  readonly waiting: readonly BroadcastMessage[];
  /** Parts of one incomplete snapshot of the newest epoch, none twice. */
  readonly parts: readonly CaptionSnapshot[];
}

/** A viewer's state before any message: nothing is known, hence `needsResync`. */
export const initialState = (room: RoomName): CaptionState => ({
  ...startEpoch(room, epochMs(0)),
  needsResync: true,
});

/** The state at the very beginning of an epoch: nothing was said and nothing is missing. What a gateway starts with. */
export const startEpoch = (room: RoomName, startMs: EpochMs): CaptionState => ({
  room,
  epochMs: startMs,
  seq: 0,
  finals: [],
  open: [],
  gaps: [],
  state: 'live',
  reason: '',
  needsResync: false,
  reception: { heardEpochMs: startMs, heardSeq: 0, waiting: [], parts: [] },
});

/** All segments in display order: finals in the order in which they ended, then open ones in the order they began. */
export const segmentsOf = (state: CaptionState): readonly SegmentState[] => [...state.finals, ...state.open];

/** The last applied `seq` of the newest epoch heard of; 0 where that epoch has not begun here. */
export const appliedSeq = ({ epochMs, seq, reception }: CaptionState): number =>
  epochMs === reception.heardEpochMs ? seq : 0;

/** What a viewer sends when `needsResync` stays true. */
export const resyncMessage = (state: CaptionState): CaptionResync => ({
  kind: 'resync',
  room: state.room,
  lastSeq: appliedSeq(state),
});
