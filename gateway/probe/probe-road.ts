import type { CaptionMessage, CaptionState, RoomName } from '../../protocol/index.js';

/** What a viewer's reducer shows after a message. */
export type ProbeWatch = (state: CaptionState, message: CaptionMessage) => void;

export const PROBE_SPEAKER = 'caption-probe-speaker';
export const PROBE_VIEWER = 'caption-probe-viewer';

/** A speaker and a viewer in the canary room. */
export interface ProbeConnection {
  /** False when somebody ended it: to be closed, and made again. */
  readonly isAlive: boolean;
  readonly state: CaptionState;
  /** 16 kHz mono; the caller paces it. */
  send(frame: Int16Array): void;
  /** Between two sentences, as people are who say nothing. */
  mute(): void;
  unmute(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** A way into a room and back. */
export interface ProbeRoad {
  readonly kind: 'livekit' | 'websocket';
  readonly room: RoomName;
  /**
   * Resolves when somebody captions the room. Throws CaptionError: `probe_no_captioner` when nobody does within the deadline,
   * `gateway_unreachable`, `livekit_unreachable`, or why it was refused.
   */
  open(options: { watch: ProbeWatch; signal: AbortSignal }): Promise<ProbeConnection>;
}
