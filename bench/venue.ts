import type { CaptionMessage, CaptionState } from '../protocol/index.js';

/** What a viewer's reducer shows after a message. */
export type Watch = (state: CaptionState, message: CaptionMessage) => void;

/** People who are in their rooms, and viewers who watch them. */
export interface VenueSession {
  /** 16 kHz, mono; speakers are counted from 0. */
  send(speaker: number, frame: Int16Array): void;
  /** Everybody has finished; resolves when viewers have all finals. */
  end(): Promise<void>;
  /**
   * What the bench's own client did to this speaker's audio, such as `dropped 400 ms of audio`: then the figures are not those of the
   * system that is measured. Null for nothing; absent where a client can neither drop audio nor hold it back.
   */
  sendFault?(speaker: number): string | null;
  /** Everybody leaves. Idempotent. */
  close(): Promise<void>;
}

/** A road from speakers to viewers. */
export interface Venue {
  /** Resolves when everybody is connected. */
  open(options: {
    /** Beginning of the rooms' names. */
    readonly rooms: string;
    /** Their identities; ten of them share a room. */
    readonly speakers: readonly string[];
    readonly watch: Watch;
    /** Is told why a speaker's connection failed. */
    readonly failed: (reason: string) => void;
  }): Promise<VenueSession>;
}

/** Meetings of this size, with one viewer each. */
const SPEAKERS_PER_ROOM = 10;

export const roomOfSpeaker = (rooms: string, speaker: number): string =>
  `${rooms}-${Math.floor(speaker / SPEAKERS_PER_ROOM) + 1}`;
