/** The demo in a room of LiveKit: a server of its own, and everybody in the room as in a real meeting. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionError, participantIdentity } from '../../protocol/index.js';
import type { Gateway } from '../gateway.js';
import {
  createDispatch,
  joinAsPublisher,
  joinAsViewer,
  type LiveKitAccess,
  mintViewerToken,
  type PublishingParticipant,
  roomPageAddress,
  startLiveKitServer,
  type ViewingParticipant,
} from '../livekit/index.js';
import { DEMO_ROOM, type DemoStage, type OpenStage } from './demo-stage.js';
import { detached } from '../../asr/detached.js';

/** A busy machine is late for a while: what is said comes late then, and is not lost. */
const MAX_PENDING_MS = 60_000;

/** From the gateway's start to its registration, and from a dispatch to a captioner in the room. */
const CAPTIONER_DEADLINE_MS = 30_000;
/** From the last sample to the last final, when recognition keeps up. */
const FINALS_DEADLINE_MS = 30_000;
const POLL_INTERVAL_MS = 50;
/** What was sent last is still under way: the sender's queue, the network, the receiver's jitter buffer. */
const LAST_AUDIO_MS = 500;

export interface DemoLiveKit extends LiveKitAccess {
  /** Idempotent. */
  stop(): Promise<void>;
}

/** A livekit-server on loopback, with a secret that nobody else knows. Throws what `startLiveKitServer` throws. */
export async function startDemoLiveKit(binary: string, signal: AbortSignal): Promise<DemoLiveKit> {
  const key = { apiKey: 'demo', apiSecret: randomBytes(32).toString('hex') };
  const server = await startLiveKitServer({ binary, key, signal });
  return { url: server.url, ...key, stop: () => server.stop() };
}

/** The address at which a browser may watch and listen; whoever has it is in the room. */
export async function demoRoomAddress(gateway: Gateway, server: LiveKitAccess): Promise<string> {
  const token = await mintViewerToken(server, {
    room: DEMO_ROOM,
    identity: participantIdentity(`browser-${randomUUID()}`),
    name: 'Browser',
  });
  return roomPageAddress(gateway.url, { url: server.url, token });
}

export interface LiveKitStageOptions {
  readonly server: LiveKitAccess;
  /** Its LiveKit side takes the dispatch; its engine tells when everything has been recognised. */
  readonly gateway: Gateway;
  readonly agentName: string;
}

/**
 * Speakers publish microphones, a captioner is asked for as La Suite Meet's backend asks, and the viewer reads the data
 * channel. Throws CaptionError `livekit_room_uncaptioned`, and what joining throws.
 */
export const liveKitStage =
  ({ server, gateway, agentName }: LiveKitStageOptions): OpenStage =>
  async ({ meeting, changed, signal }) => {
    const speakers: PublishingParticipant[] = [];
    let viewer: ViewingParticipant | undefined;
    const close = async (): Promise<void> => {
      await Promise.all([...speakers, ...(viewer === undefined ? [] : [viewer])].map((one) => one.leave()));
    };
    try {
      // A dispatch before that would wait for the gateway's watcher to find it.
      await untilRegistered(gateway, signal);
      await createDispatch(server, { room: DEMO_ROOM, agentName });
      viewer = await joinAsViewer({
        server,
        room: DEMO_ROOM,
        identity: participantIdentity('demo-viewer'),
        name: 'Demo viewer',
        changed,
        signal,
      });
      await beforeDeadline(viewer.ready, signal);
      for (const { identity, name } of meeting.tracks) {
        const speaker = { identity: participantIdentity(identity), name };
        speakers.push(
          await joinAsPublisher({
            server,
            room: DEMO_ROOM,
            ...speaker,
            maxPendingMs: MAX_PENDING_MS,
            signal,
          }),
        );
      }
      return stageOf({ gateway, speakers, viewer, signal, close });
    } catch (error) {
      await close();
      throw error;
    }
  };

function stageOf(parts: {
  readonly gateway: Gateway;
  readonly speakers: readonly PublishingParticipant[];
  readonly viewer: ViewingParticipant;
  readonly signal: AbortSignal;
  readonly close: () => Promise<void>;
}): DemoStage {
  const { gateway, speakers, viewer, signal, close } = parts;
  // The snapshot that everybody who joins asks for is none that was missed.
  const joiningResyncs = viewer.resyncs;
  let resyncs: number | undefined;
  return {
    send: (track, frame) => detached('audio of the demo', speakers[track]?.write(frame)),
    async end() {
      resyncs = viewer.resyncs - joiningResyncs;
      const dropped = speakers.reduce((sum, { droppedSamples }) => sum + droppedSamples, 0);
      if (dropped > 0) {
        throw new CaptionError(
          'demo_not_in_time',
          `This machine was too busy to play the meeting: ${dropped} samples were never sent. Try again when it is idle.`,
        );
      }
      await delay(LAST_AUDIO_MS, undefined, { signal });
      for (const speaker of speakers) speaker.mute();
      const givesUpAtMs = performance.now() + FINALS_DEADLINE_MS;
      do {
        await delay(POLL_INTERVAL_MS, undefined, { signal });
        if (gateway.engine.openUtterances > 0) continue;
        await viewer.settled();
        if (viewer.state.open.length === 0) return;
      } while (performance.now() < givesUpAtMs);
    },
    resyncs: () => resyncs ?? viewer.resyncs - joiningResyncs,
    close,
  };
}

async function untilRegistered({ livekit }: Gateway, signal: AbortSignal): Promise<void> {
  const givesUpAtMs = performance.now() + CAPTIONER_DEADLINE_MS;
  while (livekit?.notReadyReason !== undefined) {
    if (performance.now() > givesUpAtMs) throw uncaptioned(livekit.notReadyReason);
    await delay(POLL_INTERVAL_MS, undefined, { signal });
  }
}

async function beforeDeadline(ready: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([
      ready,
      delay(CAPTIONER_DEADLINE_MS, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
        throw uncaptioned('the captioner does not answer');
      }),
    ]);
  } finally {
    over.abort();
    signal.throwIfAborted();
  }
}

const uncaptioned = (why: string): CaptionError =>
  new CaptionError(
    'livekit_room_uncaptioned',
    `No captioner came into the room within ${CAPTIONER_DEADLINE_MS / 1000} s: ${why}`,
    { retryable: true },
  );
