import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { ScriptedGateway } from '../testing/scripted-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { keepAlive } from './heartbeat.js';

const INTERVAL_MS = 100;

describe('a connection that is watched', () => {
  const afterwards = cleanupsAfterEach();
  let peer: WebSocket;
  let socket: WebSocket;
  let pings: number;

  beforeEach(async () => {
    const gateway = await ScriptedGateway.start();
    afterwards(() => gateway.close());
    peer = new WebSocket(gateway.url.replace('http', 'ws'), { autoPong: false });
    peer.on('error', () => undefined);
    pings = 0;
    peer.on('ping', () => (pings += 1));
    ({ socket } = await gateway.connection(0));
  });

  const asked = (times: number): Promise<void> =>
    waitUntil(() => (pings >= times ? undefined : `asked ${pings} times`));

  it('is ended when nothing comes, and not while anything comes that is no answer', async () => {
    const answer = (): void => peer.send('{"kind":"applause"}');
    peer.on('ping', answer);
    keepAlive(socket, { intervalMs: INTERVAL_MS });
    await asked(5);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const ended = once(socket, 'close');
    peer.off('ping', answer);
    await ended;
  });

  it('is not judged while it is not read', async () => {
    socket.pause();
    keepAlive(socket, { intervalMs: INTERVAL_MS });
    await asked(5);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const ended = once(socket, 'close');
    socket.resume();
    await ended;
  });
});
