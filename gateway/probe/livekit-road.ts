import { CaptionError, participantIdentity, type RoomName } from '../../protocol/index.js';
import { createDispatch, joinAsPublisher, joinAsViewer, type LiveKitAccess } from '../livekit/index.js';
import { LiveKitAdmin } from '../livekit/livekit-admin.js';
import { PROBE_SPEAKER, PROBE_VIEWER, type ProbeRoad } from './probe-road.js';
import { detached } from '../../asr/detached.js';

/** From the dispatch to a captioner in the room: La Suite Meet's users would have given up. */
const CAPTIONER_DEADLINE_MS = 20_000;

export interface LiveKitRoadOptions {
  readonly server: LiveKitAccess;
  readonly room: RoomName;
  /** Whom the room is dispatched to. */
  readonly agentName: string;
  /** Default 20 s. */
  readonly captionerDeadlineMs?: number;
}

/** A microphone in a room of LiveKit, and somebody who reads along. Loads the SDK's native library. */
export function liveKitRoad(options: LiveKitRoadOptions): ProbeRoad {
  const { server, room, agentName, captionerDeadlineMs = CAPTIONER_DEADLINE_MS } = options;
  const admin = new LiveKitAdmin(server);
  return {
    kind: 'livekit',
    room,
    async open({ watch, signal }) {
      // First of all: it says plainly when the server is away, or refuses the keys.
      const dispatches = await admin.listDispatches(room).catch(ignoreMissingRoom);
      if (!dispatches.some((dispatch) => dispatch.agentName === agentName))
        await createDispatch(server, { room, agentName });
      const viewer = await joinAsViewer({
        server,
        room,
        identity: participantIdentity(PROBE_VIEWER),
        reports: true,
        changed: watch,
        signal,
      });
      const leaveAll: (() => Promise<void>)[] = [() => viewer.leave()];
      const close = async (): Promise<void> => {
        await Promise.all(leaveAll.map((leave) => leave()));
      };
      try {
        const speaker = await joinAsPublisher({
          server,
          room,
          identity: participantIdentity(PROBE_SPEAKER),
          name: 'Probe',
          muted: true,
          signal,
        });
        leaveAll.push(() => speaker.leave());
        await captioned(viewer.ready, { deadlineMs: captionerDeadlineMs, signal });
        let isAlive = true;
        for (const { left } of [viewer, speaker])
          detached(
            'audio of the probe',
            left.then(() => (isAlive = false)),
          );
        return {
          get isAlive() {
            return isAlive;
          },
          get state() {
            return viewer.state;
          },
          send: (frame) => detached('audio of the probe', speaker.write(frame)),
          mute: () => speaker.mute(),
          unmute: () => speaker.unmute(),
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}

function ignoreMissingRoom(error: unknown): readonly { agentName: string }[] {
  if (error instanceof CaptionError && error.code === 'livekit_room_missing') return [];
  throw error;
}

async function captioned(
  ready: Promise<void>,
  limits: { deadlineMs: number; signal: AbortSignal },
): Promise<void> {
  const { deadlineMs, signal } = limits;
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  let giveUp: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(
        new CaptionError(
          'probe_no_captioner',
          `Nobody captions the canary room within ${deadlineMs / 1000} s.`,
          {
            retryable: true,
          },
        ),
      );
    };
    deadline.addEventListener('abort', giveUp, { once: true });
  });
  try {
    await Promise.race([ready, late]);
  } finally {
    if (giveUp !== undefined) deadline.removeEventListener('abort', giveUp);
  }
  signal.throwIfAborted();
}
