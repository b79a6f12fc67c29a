import type { ParticipantIdentity } from '../../../protocol/index.js';
import type { RoomViewer } from '../../rooms/room.js';

/** The ways captions leave for one LiveKit room: a viewer of the gateway's room, and what the bot tells it. */
export interface CaptionRoads extends RoomViewer {
  /** Somebody is in the room already when the bot joins it first, before the roads are added to the room: everybody is sent a snapshot. */
  participantPresent(identity: ParticipantIdentity): void;
  /**
   * Somebody is there who can read: is sent what was said so far, as far as the room shows it. Also to be called for those
   * who are back after a full reconnect.
   */
  participantJoined(identity: ParticipantIdentity): void;
  participantLeft(identity: ParticipantIdentity): void;
  /** A packet on topic `captions`: perhaps a resync. What cannot be decoded is ignored and counted. */
  received(from: ParticipantIdentity | undefined, bytes: Uint8Array): void;
  /** The connection was away, and is there again: everybody is sent a snapshot, and what is waiting goes out. */
  reconnected(): void;
  /**
   * Resolves when everything told so far has been handed to LiveKit, or cannot be any more: nobody reads, the connection never
   * comes back, `close`. Has no deadline of its own. Words that wait for more of their kind go out at once.
   */
  flushed(): Promise<void>;
  /** Drops what is waiting. Idempotent. */
  close(): void;
}
