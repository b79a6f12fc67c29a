import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { encodeMessage, initialState, resyncMessage, roomName } from '../../protocol/index.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { helloWith, RawPeer } from '../testing/raw-peer.js';
import { rawTcp, upgradeRequest } from '../testing/raw-tcp.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

describeWithModel('what a gateway bounds', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, {
      settings: { ...TEST_KEYS, CAPTION_MAX_VIEWERS_PER_IDENTITY: 2, CAPTION_MAX_CONNECTIONS: 60 },
      timing: { headersDeadlineMs: 300 },
    });
    afterAllTests(() => gateway.close());
  });

  const isClosed = (connection: { isClosed: () => boolean }): Promise<void> =>
    waitUntil(() => (connection.isClosed() ? undefined : 'the connection is open'));

  it.each([
    ['says nothing', ''],
    ['says half a header', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half'],
  ])('is the time for headers: who %s is disconnected', async (_, text) => {
    const peer = await rawTcp(gateway.url, text);
    afterwards(() => void peer.socket.destroy());
    await isClosed(peer);
  });

  it('is what is read of somebody who may not connect', async () => {
    const peer = await rawTcp(gateway.url, upgradeRequest('/v1/ingest'));
    afterwards(() => void peer.socket.destroy());
    // The beginning of a message of 1 MB: whoever may connect may send it.
    const frame = Buffer.alloc(10);
    frame.set([0x82, 0xff]);
    frame.writeUInt32BE(1_000_000, 6);
    peer.socket.write(frame);
    await isClosed(peer);
    // It was told why all the same.
    expect(peer.received().toString('latin1')).toContain('unauthorised: An access token is needed');
  });

  it('is the number of connections of one identity, and nobody else has fewer by it', async () => {
    const viewer = async (identity: string): Promise<RawPeer> => {
      const token = await accessToken({ identity });
      const peer = new RawPeer(`${gateway.url}/v1/captions?room=council`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      afterwards(() => peer.socket.terminate());
      return peer;
    };
    const hers = [await viewer('ana'), await viewer('ana')];
    for (const peer of hers) await waitUntil(() => (peer.messages.length > 0 ? undefined : 'no snapshot'));
    const third = await viewer('ana');
    expect(await third.closed()).toMatchObject({ code: 4503 });
    const other = await viewer('bob');
    await waitUntil(() => (other.messages.length > 0 ? undefined : 'no snapshot'));
    // One identity has one number of snapshots a second, over all its connections.
    const before = [...hers, other].map(({ messages }) => messages.length);
    const resync = encodeMessage(resyncMessage(initialState(roomName('council'))));
    for (let index = 0; index < 100; index++)
      for (const { socket } of [...hers, other]) socket.send(resync, { binary: false });
    await waitUntil(() => (other.messages.length > (before[2] ?? 0) ? undefined : 'no further snapshot'));
    for (const peer of [...hers, other]) expect(peer.socket.readyState).toBe(1);
  });

  it('is what is asked about rooms with one token, however their names are written', async () => {
    const token = await accessToken({ identity: 'curious' });
    const ask = async (room: string, bearer = token): Promise<number> => {
      const address = `${gateway.url}/v1/rooms/${room}/transcript.txt`;
      return (await fetch(address, { headers: { Authorization: `Bearer ${bearer}` } })).status;
    };
    const names = ['council', '%63ouncil', 'c%6funcil', 'other', 'other%20one'];
    // Faster than the limit fills up again, whatever machine this is.
    const round = (): Promise<number[]> =>
      Promise.all(Array.from({ length: 30 }, (_, index) => ask(names[index % names.length] ?? '')));
    await waitUntil(async () => ((await round()).includes(429) ? undefined : 'everything is answered'));
    // Somebody else in another room may have the same identity.
    const namesake = await accessToken({ identity: 'curious', video: { room: 'other', roomJoin: true } });
    expect(await ask('other', namesake)).toBe(404);
  });

  const ingestPeer = async (token: string): Promise<RawPeer> => {
    const peer = new RawPeer(`${gateway.url}/v1/ingest`, { headers: { Authorization: `Bearer ${token}` } });
    afterwards(() => peer.socket.terminate());
    // It may be closed again at once.
    await once(peer.socket, 'open');
    return peer;
  };

  it.each([
    ['of a kind that is not known', { kind: 'unknown' }],
    ['with a token', { kind: 'token', token: 'none' }],
  ])('is the number of messages before hello %s', async (what, message) => {
    const peer = await ingestPeer(await accessToken({ identity: what }));
    for (let index = 0; index < 200; index++) peer.send(message);
    expect(await peer.received('error')).toMatchObject({ code: 'messages_too_fast', retryable: true });
    expect(await peer.closed()).toMatchObject({ code: 4429 });
  });

  it('is the number of connections that say nothing, and a namesake in another room has no fewer by it', async () => {
    const token = await accessToken({ identity: 'silent' });
    const silent = await Promise.all(Array.from({ length: 10 }, () => ingestPeer(token)));
    expect(await (await ingestPeer(token)).closed()).toMatchObject({ code: 4503 });
    const namesake = await ingestPeer(
      await accessToken({ identity: 'silent', video: { room: 'other', roomJoin: true } }),
    );
    namesake.send(helloWith({ room: 'other', speaker: { identity: 'silent', name: '' } }));
    await namesake.received('welcome');
    for (const { socket } of silent) socket.terminate();
  });

  it.each(['ping', 'pong'] as const)('is the number of %ss of one connection', async (frame) => {
    const peer = await ingestPeer(await accessToken({ identity: frame }));
    for (let index = 0; index < 500; index++) {
      peer.socket[frame]();
      // Answers are read in between: who does not read them is cut off by the library.
      if (index % 20 === 0) await setImmediate();
    }
    expect(await peer.closed()).toMatchObject({ code: 4429 });
  });

  it('is how long somebody stays who asks for a WebSocket where there is none', async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    afterwards(() => void socket.destroy());
    let isCutOff = false;
    // The other side has closed it altogether, not only its own half.
    socket.on('error', () => (isCutOff = true));
    socket.resume();
    socket.write(upgradeRequest('/v1/nothing'));
    await once(socket, 'end');
    await waitUntil(() => {
      if (isCutOff) return undefined;
      socket.write('x');
      return 'the connection is open';
    });
  });

  it('is the number of connections, and further ones are not accepted until some end', async () => {
    const peers = await Promise.all(Array.from({ length: 80 }, () => rawTcp(gateway.url, '')));
    afterwards(() => {
      for (const { socket } of peers) socket.destroy();
    });
    await waitUntil(() => (peers.some((peer) => peer.isClosed()) ? undefined : 'all are accepted'));
    // Those that say nothing make room.
    for (const peer of peers) await isClosed(peer);
    const response = await fetch(`${gateway.url}/metrics`);
    expect(await response.text()).toMatch(
      /caption_refused_connections_total\{code="too_many_connections"\} \d+/,
    );
  });
});
