/** The floor: sherpa-onnx's streaming recogniser driven directly, one process per core, without a gateway. */
import { availableParallelism } from 'node:os';
import type { InstalledModel } from '../../asr/index.js';
import { sumOfUsages } from '../process-usage.js';
import type { MeasuredVenue } from '../stage.js';
import { roomOfSpeaker, type Venue, type VenueSession } from '../venue.js';
import { PeerCaptions } from './peer-captions.js';
import { PeerProcess } from './peer-process.js';

const HEADER_BYTES = 6;
/** From the last sample to the last final, when recognition keeps up. */
const FINALS_DEADLINE_MS = 30_000;

interface Told {
  readonly stream: number;
  readonly text?: string;
  readonly isFinal?: boolean;
  readonly ended?: boolean;
}

/** Throws what `PeerProcess.start` throws. */
export async function sherpaStage(model: InstalledModel): Promise<MeasuredVenue> {
  const listeners = new Map<number, (told: Told) => void>();
  const processes = await Promise.all(
    Array.from({ length: availableParallelism() }, () =>
      PeerProcess.start({
        peer: 'sherpa',
        program: 'python',
        script: 'recognise.py',
        args: [JSON.stringify(model.files)],
        isReady: (line) => line === '{"ready": true}',
        told: (line) => {
          if (!line.startsWith('{')) return;
          const told = JSON.parse(line) as Told;
          listeners.get(told.stream)?.(told);
        },
      }),
    ),
  );
  let streams = 0;
  const venue: Venue = {
    open({ rooms, speakers, watch }): Promise<VenueSession> {
      const captions = new Map<string, PeerCaptions>();
      const sessions = speakers.map((speaker, index) => {
        const room = roomOfSpeaker(rooms, index);
        const shown = captions.get(room) ?? new PeerCaptions(room, watch);
        captions.set(room, shown);
        const stream = (streams += 1) % 65_536;
        let segment = 1;
        const ended = new Promise<void>((resolve) => {
          listeners.set(stream, ({ text = '', isFinal = false, ended: isOver }) => {
            if (isOver === true) resolve();
            else shown.show({ speaker, segment: String(segment), text, isFinal });
            if (isFinal) segment += 1;
          });
        });
        return { stream, ended, process: processes[index % processes.length] };
      });
      const close = (): Promise<void> => {
        for (const { stream } of sessions) listeners.delete(stream);
        return Promise.resolve();
      };
      return Promise.resolve({
        send: (speaker, pcm) => {
          const session = sessions[speaker];
          session?.process?.write(frame(session.stream, pcm));
        },
        end: async () => {
          for (const { process, stream } of sessions) process?.write(frame(stream, new Int16Array(0)));
          await withinDeadline(Promise.all(sessions.map(({ ended }) => ended)));
        },
        close,
      });
    },
  };
  return {
    venue,
    gateway: { model: model.id, usage: () => sumOfUsages(processes.map((process) => process.usage())) },
    close: async () => {
      await Promise.all(processes.map((process) => process.close()));
    },
  };
}

function frame(stream: number, pcm: Int16Array): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + pcm.byteLength);
  bytes.writeUInt16LE(stream, 0);
  bytes.writeUInt32LE(pcm.byteLength, 2);
  Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).copy(bytes, HEADER_BYTES);
  return bytes;
}

async function withinDeadline(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, FINALS_DEADLINE_MS)));
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
