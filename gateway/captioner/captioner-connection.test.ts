import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { participantIdentity, roomName, segmentId } from '../../protocol/index.js';
import { RateLimit } from '../bounds/rate-limit.js';
import { Room } from '../rooms/room.js';
import { captionerHello } from '../testing/captioner-peer.js';
import { waitUntil } from '../testing/wait-until.js';
import { CaptionerConnection, type CaptionerHost } from './captioner-connection.js';
import { CaptionerSeat } from './captioner-seat.js';

/** What is used of a WebSocket. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  readonly sent: string[] = [];
  isPaused = false;
  pause = (): void => void (this.isPaused = true);
  resume = (): void => void (this.isPaused = false);
  send = (text: string): void => void this.sent.push(text);
}

it('reads nothing from a captioner while recognition of the people who are replaced finishes, whatever was read before', async () => {
  const room = new Room(roomName('council'), Date.now());
  const ana = { identity: participantIdentity('ana'), name: 'Ana' };
  const seat = new CaptionerSeat({
    room,
    captioner: { identity: participantIdentity('carol'), name: 'Carol' },
    language: 'en',
    correctableLines: 0,
    settleAfterMs: 0,
    settled: () => undefined,
  });
  const host = {
    limit: new RateLimit({ burst: 100, perSecond: 1 }),
    helloDeadlineMs: 10_000,
    seatFor: () => seat,
    leave: () => seat.leave(),
    openRights: () => ({ tell: () => undefined, close: () => undefined }),
    metrics: { refused: vi.fn() },
    log: {},
  } as unknown as CaptionerHost;
  const socket = new FakeSocket();
  new CaptionerConnection(socket as unknown as WebSocket, host);
  const said = { speaker: ana, segment: segmentId('a'), keep: 0, stable: 0, language: 'en' } as const;
  const receive = (message: object): boolean => socket.emit('message', Buffer.from(JSON.stringify(message)));
  // All in one read of the socket.
  receive(captionerHello({ replaces: [] }));
  receive({ kind: 'replace', replaces: 'everybody' });
  room.publishDelta({ ...said, words: [], isFinal: false });
  await waitUntil(() => (room.isReplaced(ana.identity) ? undefined : 'not replaced yet'));
  expect(socket.isPaused).toBe(true);
  room.publishDelta({ ...said, words: [], isFinal: true });
  await waitUntil(() => (socket.isPaused ? 'nothing is read' : undefined));
  socket.emit('close');
});
