/**
 * LiveKit Agents (Python) in a room of a real livekit-server, used as La Suite Meet's subtitle agent uses it. Speakers and viewers are those of
 * `bench livekit`; viewers read `lk.transcription`.
 */
import { RoomServiceClient } from 'livekit-server-sdk';
import type { InstalledModel } from '../../asr/index.js';
import {
  createDispatch,
  disposeSdk,
  joinAsPublisher,
  joinAsViewer,
  type LiveKitAccess,
  type PublishingParticipant,
  type ReceivedTextStream,
  type ViewingParticipant,
} from '../../gateway/livekit/index.js';
import { CaptionError, participantIdentity, roomName } from '../../protocol/index.js';
import { type LiveKitStageOptions, type MeasuredVenue, startBenchLiveKit } from '../stage.js';
import { Publishers } from '../publishers.js';
import { roomOfSpeaker, type Venue, type Watch } from '../venue.js';
import { PeerCaptions } from './peer-captions.js';
import { PeerProcess } from './peer-process.js';

const AGENT_NAME = 'bench-agents';
const JOIN_DEADLINE_MS = 60_000;
const POLL_INTERVAL_MS = 100;
/** From the last sample to the last final, when recognition keeps up. */
const FINALS_DEADLINE_MS = 30_000;
/** Nothing new for so long after the last word: nothing is on its way any more. */
const QUIET_MS = 2500;

/** Throws what `startBenchLiveKit` and `PeerProcess.start` throw. */
export async function liveKitAgentsStage(
  model: InstalledModel,
  options: LiveKitStageOptions,
): Promise<MeasuredVenue> {
  const { server, stop } = await startBenchLiveKit(options);
  const listenedTo = new Set<string>();
  const worker = await PeerProcess.start({
    peer: 'livekit-agents',
    program: 'python',
    script: 'agent.py',
    args: ['start'],
    environment: {
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret,
      AGENT_NAME,
      MODEL_FILES: JSON.stringify(model.files),
    },
    isReady: (line) => line.includes('registered worker'),
    told: (line) => {
      const identity = /\bsession (\S+)$/.exec(line)?.[1];
      if (identity !== undefined) listenedTo.add(identity);
    },
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    venue: agentsVenue(server, listenedTo),
    gateway: { model: model.id, usage: () => worker.usage() },
    close: async () => {
      await worker.close();
      await stop();
      if (options.keepsSdk !== true) await disposeSdk();
    },
  };
}

interface AgentRoom {
  readonly viewer: ViewingParticipant;
  readonly captions: PeerCaptions;
  readonly lastHeardAtMs: number;
}

function agentsVenue(server: LiveKitAccess & { readonly httpUrl: string }, listenedTo: Set<string>): Venue {
  return {
    async open({ rooms, speakers, watch }) {
      const agentRooms = new Map<string, AgentRoom>();
      const publishers: PublishingParticipant[] = [];
      const close = async (): Promise<void> => {
        const viewers = [...agentRooms.values()].map(({ viewer }) => viewer);
        await Promise.all([...publishers, ...viewers].map((participant) => participant.leave()));
        // Else each room's process would live on for twenty seconds, and be counted to whatever is measured next.
        const client = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
        await Promise.all(
          [...agentRooms.keys()].map((name) => client.deleteRoom(name).catch(() => undefined)),
        );
      };
      listenedTo.clear();
      try {
        for (const name of new Set(speakers.map((_, index) => roomOfSpeaker(rooms, index)))) {
          await createDispatch(server, { room: roomName(name), agentName: AGENT_NAME });
          const speakerOf = ({ speaker, attributes }: ReceivedTextStream): string =>
            publishers.find(({ trackSid }) => trackSid === attributes['lk.transcribed_track_id'])?.identity ??
            speaker;
          agentRooms.set(name, await joinAndWatch({ server, name, watch, speakerOf }));
          await untilAgentIn(server, name);
        }
        for (const [index, speaker] of speakers.entries()) {
          const room = roomName(roomOfSpeaker(rooms, index));
          publishers.push(await joinAsPublisher({ server, room, identity: participantIdentity(speaker) }));
        }
        await within(JOIN_DEADLINE_MS, 'not everybody was listened to', () =>
          Promise.resolve(speakers.every((speaker) => listenedTo.has(speaker))),
        );
      } catch (error) {
        await close();
        throw error;
      }
      const microphones = new Publishers(publishers);
      return {
        send: (speaker, frame) => microphones.send(speaker, frame),
        async end() {
          microphones.mute();
          await Promise.all([...agentRooms.values()].map(untilQuiet));
        },
        sendFault: (speaker) => microphones.sendFault(speaker),
        close,
      };
    },
  };
}

async function joinAndWatch(options: {
  readonly server: LiveKitAccess;
  readonly name: string;
  readonly watch: Watch;
  readonly speakerOf: (stream: ReceivedTextStream) => string;
}): Promise<AgentRoom> {
  const { server, name, watch, speakerOf } = options;
  const captions = new PeerCaptions(name, watch);
  const heard = { atMs: performance.now() };
  const viewer = await joinAsViewer({
    server,
    room: roomName(name),
    identity: participantIdentity('bench-viewer'),
    textStreamed: (stream) => {
      heard.atMs = performance.now();
      captions.show({
        speaker: speakerOf(stream),
        segment: stream.attributes['lk.segment_id'] ?? '',
        text: stream.text,
        isFinal: stream.attributes['lk.transcription_final'] === 'true',
      });
    },
  });
  return {
    viewer,
    captions,
    get lastHeardAtMs() {
      return heard.atMs;
    },
  };
}

/** Hidden ones are listed too. */
async function untilAgentIn(
  { httpUrl, apiKey, apiSecret }: LiveKitAccess & { readonly httpUrl: string },
  room: string,
): Promise<void> {
  const client = new RoomServiceClient(httpUrl, apiKey, apiSecret);
  await within(JOIN_DEADLINE_MS, `no agent came into ${room}`, async () => {
    const participants = await client.listParticipants(room);
    return participants.some(({ identity }) => identity.startsWith(AGENT_NAME));
  });
}

async function untilQuiet(room: AgentRoom): Promise<void> {
  const endedAtMs = performance.now();
  const isQuiet = (): boolean => performance.now() - Math.max(endedAtMs, room.lastHeardAtMs) > QUIET_MS;
  while (!isQuiet() && performance.now() - endedAtMs < FINALS_DEADLINE_MS)
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
}

async function within(deadlineMs: number, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const givesUpAtMs = performance.now() + deadlineMs;
  while (!(await isSo())) {
    if (performance.now() > givesUpAtMs)
      throw new CaptionError('bench_room_not_captioned', `${what} within ${deadlineMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}
