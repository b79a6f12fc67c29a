import type { RoomName } from '../../protocol/index.js';
import type { Captioner, CaptionerRequest } from './captioner.js';

/** An offer that was accepted and never assigned: the server gave it to somebody else, or is gone. */
export const RESERVATION_LIMIT_MS = 15_000;

/** A room that this process has promised to caption. `start` or `release` it. */
export interface Reservation {
  readonly room: RoomName;
  start(request: Omit<CaptionerRequest, 'room'>): Captioner;
  /** Nothing came of it. Idempotent; does nothing after `start`. */
  release(): void;
}

export type ReservationRefusal =
  /** This process captions, or is about to caption, this room. */
  | 'captioned_here'
  /** Recognition cannot take another room. */
  | 'full'
  /** The gateway is shutting down. */
  | 'closing';

/** All rooms of LiveKit that this process captions; at most one captioner a room. */
export interface RoomCaptioners {
  /** Synchronous, so that offers that come together cannot both be accepted. */
  reserve(room: RoomName): Reservation | ReservationRefusal;
  captionerOf(room: RoomName): Captioner | undefined;
  readonly captioners: readonly Captioner[];
  /** 0 to 1: how much of what recognition can take is taken or promised. 1 when no further room is accepted. */
  readonly load: number;
  /** No further rooms; stops all captioners within `deadlineMs`. Idempotent. */
  close(options: { deadlineMs: number }): Promise<void>;
}
