import type { RoomName } from '../../protocol/index.js';
import type { CaptionerEnd } from './captioner-end.js';

/** How one room comes to be captioned by this process. */
export interface CaptionerRequest {
  readonly room: RoomName;
  /** Of the server that the token is for. */
  readonly url: string;
  /** For the first connection. Later ones use a token of our own, where there is a key to make it with. */
  readonly token: string;
  /** Metadata of the dispatch: per-room settings as JSON; empty for none. */
  readonly dispatchMetadata: string;
  /** The dispatch that is answered, where there is one. */
  readonly dispatchId?: string;
  /** Unix epoch milliseconds since when nobody captioned this room, though it should have been; absent where nothing was missed. */
  readonly missedSinceMs?: number;
}

/** One room being captioned. */
export interface Captioner {
  readonly room: RoomName;
  readonly isConnected: boolean;
  /** Speakers whose audio is subscribed. */
  readonly speakerCount: number;
  /** Resolves once, when it has left the room and freed everything. Never rejects. */
  readonly ended: Promise<CaptionerEnd>;
  /**
   * Finishes the open segments, publishes their finals, leaves. What is not done by `deadlineMs` from now is given up.
   * Idempotent; resolves when `ended` has.
   */
  stop(options: { deadlineMs: number }): Promise<void>;
}

/** Joins a room. Never throws: what goes wrong ends the captioner with `failed`. */
export type StartCaptioner = (request: CaptionerRequest) => Captioner;
