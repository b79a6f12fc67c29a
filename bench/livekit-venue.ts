import { CaptionError, participantIdentity, roomName } from '../protocol/index.js';
import {
  createDispatch,
  joinAsPublisher,
  joinAsViewer,
  type LiveKitAccess,
  type PublishingParticipant,
  type ViewingParticipant,
} from '../gateway/livekit/index.js';
import { Publishers } from './publishers.js';
import { roomOfSpeaker, type Venue } from './venue.js';

/** From a dispatch to a captioner in the room. */
const JOIN_DEADLINE_MS = 30_000;
const POLL_INTERVAL_MS = 50;
/** From the last sample to the last final, when recognition keeps up. */
const FINALS_DEADLINE_MS = 30_000;

/** A real SFU: participants publish microphones, the gateway's bot captions, a viewer reads the data channel. */
export function liveKitVenue(server: LiveKitAccess, options: { agentName: string }): Venue {
  return {
    async open({ rooms, speakers, watch }) {
      const viewers: ViewingParticipant[] = [];
      const publishers: PublishingParticipant[] = [];
      const close = async (): Promise<void> => {
        await Promise.all([...publishers, ...viewers].map((participant) => participant.leave()));
      };
      try {
        for (const name of new Set(speakers.map((_, index) => roomOfSpeaker(rooms, index)))) {
          const room = roomName(name);
          await createDispatch(server, { room, agentName: options.agentName });
          const identity = participantIdentity('bench-viewer');
          const viewer = await joinAsViewer({ server, room, identity, changed: watch });
          viewers.push(viewer);
          await withinDeadline(viewer.ready, `room ${name} got no captioner`);
        }
        for (const [index, speaker] of speakers.entries()) {
          const room = roomName(roomOfSpeaker(rooms, index));
          publishers.push(await joinAsPublisher({ server, room, identity: participantIdentity(speaker) }));
        }
      } catch (error) {
        await close();
        throw error;
      }
      const microphones = new Publishers(publishers);
      return {
        send: (speaker, frame) => microphones.send(speaker, frame),
        async end() {
          microphones.mute();
          await Promise.all(viewers.map(untilFinal));
        },
        sendFault: (speaker) => microphones.sendFault(speaker),
        close,
      };
    },
  };
}

/** Until nothing is open any more, by a snapshot that was asked for after the last word. */
async function untilFinal(viewer: ViewingParticipant): Promise<void> {
  const givesUpAtMs = performance.now() + FINALS_DEADLINE_MS;
  do {
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS * 10));
    await viewer.settled();
  } while (viewer.state.open.length > 0 && performance.now() < givesUpAtMs);
}

async function withinDeadline(work: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new CaptionError('bench_room_not_captioned', `${what} within ${JOIN_DEADLINE_MS / 1000} s.`)),
      JOIN_DEADLINE_MS,
    );
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
