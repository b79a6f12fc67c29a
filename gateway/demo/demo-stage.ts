/** Where a meeting is played: how its speakers are heard by the gateway, and how one viewer sees the captions. */
import {
  type CaptionMessage,
  type CaptionState,
  participantIdentity,
  roomName,
} from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import type { Meeting } from '../meeting/meeting.js';

export const DEMO_ROOM = roomName('demo');

export interface OpenStageOptions {
  readonly meeting: Meeting;
  /** After each message that changed what the viewer shows. */
  readonly changed: (state: CaptionState, message: CaptionMessage) => void;
  readonly signal: AbortSignal;
}

/** Speakers and a viewer that are all connected. Whoever opens one closes it. */
export interface DemoStage {
  /** PCM16, 16 kHz, mono, of the meeting's track of this index; the caller paces it. */
  readonly send: (track: number, frame: Int16Array) => void;
  /** Nobody says any more. Resolves when the viewer has the last final. */
  readonly end: () => Promise<void>;
  /** Snapshots the viewer had to ask for because something was missing. */
  readonly resyncs: () => number;
  /** Idempotent. */
  readonly close: () => Promise<void>;
}

export type OpenStage = (options: OpenStageOptions) => Promise<DemoStage>;

/** Speakers over WebSocket ingest, the viewer over WebSocket captions. */
export const webSocketStage =
  (gatewayUrl: string): OpenStage =>
  async ({ meeting, changed }) => {
    const viewer = connectCaptions({ url: gatewayUrl, room: DEMO_ROOM, changed });
    const speakers = meeting.tracks.map(({ identity, name }) =>
      connectIngest({
        url: gatewayUrl,
        room: DEMO_ROOM,
        speaker: { identity: participantIdentity(identity), name },
      }),
    );
    const close = (): Promise<void> => {
      viewer.close();
      for (const speaker of speakers) speaker.close();
      return Promise.resolve();
    };
    try {
      await Promise.all([viewer.ready, ...speakers.map(({ ready }) => ready)]);
    } catch (error) {
      await close();
      throw error;
    }
    return {
      send: (track, frame) => speakers[track]?.send(frame),
      async end() {
        await Promise.all(speakers.map((speaker) => speaker.end()));
        await viewer.settled();
      },
      resyncs: () => viewer.resyncs,
      close,
    };
  };
