import type { ParticipantIdentity } from '../../protocol/index.js';
import type { RoomKey } from './signing/room-key.js';

/** One packet on LiveKit's data channel, reliable, at most `MAX_MESSAGE_BYTES`. */
export interface DataPacket {
  readonly topic: string;
  readonly bytes: Uint8Array;
  /** Who gets it; everybody where absent. */
  readonly to?: readonly ParticipantIdentity[];
}

/** One whole text stream, opened, written and closed. */
export interface TextStream {
  readonly topic: string;
  readonly text: string;
  /** Whose words these are: the stream appears to come from this participant. */
  readonly speaker: ParticipantIdentity;
  readonly attributes: Readonly<Record<string, string>>;
  /** Who gets it; everybody where absent. */
  readonly to?: readonly ParticipantIdentity[];
}

/** One legacy `Transcription` packet with one segment. */
export interface TranscriptionPacket {
  readonly speaker: ParticipantIdentity;
  /** Must begin with `TR_`: receivers built on LiveKit's Rust SDK panic otherwise. */
  readonly trackSid: string;
  readonly segmentId: string;
  readonly text: string;
  /** Unix epoch milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isFinal: boolean;
  readonly language: string;
}

export type Audience = 'everybody' | readonly ParticipantIdentity[];

/**
 * What the roads need of a LiveKit room. Every sending resolves when LiveKit's SDK has taken it, and rejects with CaptionError
 * `livekit_disconnected` (retryable) while the connection is away: the road waits for `connected` and goes on.
 */
export interface RoomOutlet {
  /** Media is end-to-end encrypted: legacy packets, which never are, must not be sent (livekit.md 5). */
  readonly isEncrypted: boolean;
  /**
   * Who may be sent captions: everybody, where all who are known to be in the room may subscribe; else those who may. LiveKit itself
   * gives data to all.
   */
  readonly audience: Audience;
  /** Whether somebody is known to be in the room now who may not be sent captions. */
  readonly isSomebodyKeptOut: boolean;
  /** People in the room who can and may read captions: neither agents, egress, hidden, nor telephones. */
  readonly readerCount: number;
  readonly isConnected: boolean;
  /** What is sent is signed with it; undefined before it is known, and where there is none. */
  readonly key: RoomKey | undefined;
  /**
   * Those who may read and are not known to be in the room: they have just come, or are hidden. Rejects with CaptionError when the
   * server cannot be asked.
   */
  newcomers(): Promise<readonly ParticipantIdentity[]>;
  /** Resolves when the connection is there (again); rejects when it never comes back. */
  connected(): Promise<void>;
  sendData(packet: DataPacket): Promise<void>;
  sendTextStream(stream: TextStream): Promise<void>;
  sendTranscription(packet: TranscriptionPacket): Promise<void>;
}
