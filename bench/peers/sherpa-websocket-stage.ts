/** sherpa-onnx's own streaming WebSocket server: one connection a speaker, float samples in, JSON out. */
import { availableParallelism } from 'node:os';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { InstalledModel } from '../../asr/index.js';
import { freePort } from '../../gateway/livekit/server/free-ports.js';
import type { MeasuredVenue } from '../stage.js';
import { roomOfSpeaker, type Venue } from '../venue.js';
import { PeerCaptions } from './peer-captions.js';
import { PeerProcess } from './peer-process.js';

/** As the gateway ends a sentence, so that finals can be compared. */
const ENDPOINT_SILENCE_S = 0.6;
const CONNECT_DEADLINE_MS = 10_000;
const FINALS_DEADLINE_MS = 30_000;

interface Told {
  readonly text: string;
  readonly segment: number;
  readonly is_final: boolean;
}

/** Throws what `PeerProcess.start` throws. */
export async function sherpaWebSocketStage(model: InstalledModel): Promise<MeasuredVenue> {
  const port = await freePort();
  const { encoder, decoder, joiner, tokens } = model.files;
  const server = await PeerProcess.start({
    peer: 'sherpa-websocket',
    program: 'sherpa-onnx-online-websocket-server',
    args: [
      ...[
        `--port=${port}`,
        `--num-work-threads=${availableParallelism()}`,
        '--num-threads=1',
        '--log-file=/dev/null',
      ],
      ...[`--encoder=${encoder}`, `--decoder=${decoder}`, `--joiner=${joiner}`, `--tokens=${tokens}`],
      `--rule2-min-trailing-silence=${ENDPOINT_SILENCE_S}`,
    ],
    isReady: (line) => /listening on/i.test(line),
  });
  const venue: Venue = {
    async open({ rooms, speakers, watch, failed }) {
      const captions = new Map<string, PeerCaptions>();
      const connections = speakers.map((speaker, index) => {
        const room = roomOfSpeaker(rooms, index);
        const shown = captions.get(room) ?? new PeerCaptions(room, watch);
        captions.set(room, shown);
        return new Connection({ url: `ws://127.0.0.1:${port}`, speaker, captions: shown, failed });
      });
      await Promise.all(connections.map(({ ready }) => ready));
      return {
        send: (speaker, pcm) => connections[speaker]?.send(pcm),
        end: async () => {
          await Promise.all(connections.map((connection) => connection.end()));
        },
        close: () => {
          for (const connection of connections) connection.close();
          return Promise.resolve();
        },
      };
    },
  };
  return {
    venue,
    gateway: { model: model.id, usage: () => server.usage() },
    close: () => server.close(),
  };
}

class Connection {
  readonly ready: Promise<void>;
  readonly #socket: WebSocket;
  readonly #done: Promise<void>;
  #isClosed = false;

  constructor(options: {
    readonly url: string;
    readonly speaker: string;
    readonly captions: PeerCaptions;
    readonly failed: (reason: string) => void;
  }) {
    const { speaker, captions, failed } = options;
    const socket = new WebSocket(options.url, { handshakeTimeout: CONNECT_DEADLINE_MS });
    this.#socket = socket;
    this.ready = once(socket, 'open').then(() => undefined);
    this.#done = new Promise((resolve) => {
      let segments = 0;
      socket.on('message', (data: Buffer) => {
        const text = data.toString();
        if (text === 'Done!') {
          this.#isClosed = true;
          resolve();
          return;
        }
        const told = JSON.parse(text) as Told;
        // Empty finals come in silence; its own number of the segment does not count them, nor do we.
        if (told.text.trim() === '') return;
        captions.show({ speaker, segment: String(segments), text: told.text, isFinal: told.is_final });
        if (told.is_final) segments += 1;
      });
      socket.once('close', () => {
        if (!this.#isClosed) failed(`${speaker}: the connection ended`);
        resolve();
      });
      socket.on('error', (error) => failed(`${speaker}: ${error.message}`));
    });
  }

  send(pcm: Int16Array): void {
    this.#socket.send(Float32Array.from(pcm, (sample) => sample / 32_768));
  }

  async end(): Promise<void> {
    this.#socket.send('Done');
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, FINALS_DEADLINE_MS)));
    await Promise.race([this.#done, deadline]);
    clearTimeout(timer);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.terminate();
  }
}
