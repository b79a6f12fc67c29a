/** What the page benches have in common: the built page in Chromium, and a gateway that is a script. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { servePage } from '../gateway/server/page.js';
import {
  encodeMessage,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  snapshotMessages,
  startEpoch,
} from '../protocol/index.js';

export const BENCH_ROOM = roomName('bench');
const EPOCH_MS = epochMs(1);

/** One version of one segment. */
export interface SaidWords {
  readonly speaker: string;
  readonly segment: string;
  readonly revision: number;
  /** All words so far. */
  readonly words: readonly string[];
  readonly keep: number;
  readonly stable: number;
  readonly isFinal: boolean;
  /** When they were said, Unix epoch milliseconds. */
  readonly atMs: number;
}

export interface PageStage {
  readonly url: string;
  /** To everybody who watches. */
  say(said: SaidWords): void;
  close(): void;
}

/** Serves the page and `/v1/captions` on loopback. `close` it. */
export async function startPageStage(): Promise<PageStage> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    void servePage(path, { request, response }).then((isServed) => {
      if (!isServed) response.writeHead(404).end();
    });
  });
  const sockets = new Set<WebSocket>();
  let seq = 0;
  new WebSocketServer({ server, handleProtocols: ([first]) => first ?? false }).on('connection', (socket) => {
    // Whoever comes hears what is said from now on.
    seq = 0;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    for (const part of snapshotMessages(startEpoch(BENCH_ROOM, EPOCH_MS))) socket.send(encodeMessage(part));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say({ speaker, segment, words, keep, atMs, ...rest }) {
      const message = encodeMessage({
        kind: 'delta',
        room: BENCH_ROOM,
        epochMs: EPOCH_MS,
        seq: (seq += 1),
        speaker: { identity: participantIdentity(speaker), name: `Speaker ${speaker}` },
        segment: segmentId(segment),
        keep,
        words: words.slice(keep).map((text) => ({ text, startMs: epochMs(atMs), endMs: epochMs(atMs) })),
        language: 'en',
        ...rest,
      });
      for (const socket of sockets) socket.send(message);
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
