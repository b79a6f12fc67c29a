/** What the roads out of one room have in common. */
import type { ParticipantIdentity, SegmentState } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { Room } from '../../rooms/room.js';
import type { RoomOutlet } from '../room-outlet.js';
import type { Readers } from './readers.js';

export type RoadName = 'captions' | 'transcription' | 'legacy';

export type RoadEvent =
  /** LiveKit took one. */
  | 'sent'
  /** Waited, and a newer text of the same segment took its place. */
  | 'replaced'
  /** Waited, and was joined with the words before. */
  | 'merged'
  /** Waited while too much else did: for the contract a snapshot stands for it, elsewhere it is lost. */
  | 'dropped'
  /** Was not taken, and is sent again. */
  | 'resent'
  /** LiveKit did not answer in time; sent again. */
  | 'late'
  /** Was refused every time. */
  | 'lost'
  /** A snapshot went out. */
  | 'snapshot'
  /** A viewer asked for one. */
  | 'resync'
  /** A packet on our topic that is not of our contract. */
  | 'undecodable'
  /** A final without a track of LiveKit, which legacy packets need. */
  | 'no_track';

/** For metrics. */
export interface RoadObserver {
  roadEvent(road: RoadName, event: RoadEvent): void;
  /** One more road, and how to read how much waits on it. The result is called when it is closed. */
  roadOpened(road: RoadName, waiting: () => number): () => void;
}

export interface RoadContext {
  readonly outlet: RoomOutlet;
  readonly room: Room;
  readonly readers: Readers;
  readonly log: Logger;
  /** Whether legacy packets, which cannot be addressed, are left out while somebody is in the room who may not subscribe. */
  readonly withholdsLegacy: boolean;
  /** Of this road. */
  readonly observe: (event: RoadEvent) => void;
}

/** A road for segments as they stand, for receivers that do not know our contract. */
export interface SegmentRoad {
  readonly name: RoadName;
  /** How much waits to be sent. */
  readonly waiting: number;
  /** The road begins: what is being said already was told before, or by others. */
  begin(): void;
  /** One more revision. States are immutable, so what waits cannot change (livekit/agents-js#1759). */
  tell(segment: SegmentState): void;
  joined(identity: ParticipantIdentity): void;
  left(identity: ParticipantIdentity): void;
  /** What was handed over just before the connection went away may not have arrived. */
  reconnected(): void;
  flushed(): Promise<void>;
  close(): void;
}

/** Whether legacy packets may be sent: they are never encrypted, and everybody in the room is given them. */
export const mayTellAll = ({ outlet, withholdsLegacy }: RoadContext): boolean =>
  !outlet.isEncrypted && !(withholdsLegacy && outlet.isSomebodyKeptOut);

/** Anything else makes receivers built on LiveKit's Rust SDK panic (rust-sdks, livekit/src/room/id.rs). */
export const isTrackSid = (trackSid: string | undefined): trackSid is string =>
  trackSid !== undefined && trackSid.length > 3 && trackSid.startsWith('TR_');

export const textOf = (words: SegmentState['words']): string => words.map(({ text }) => text).join(' ');
