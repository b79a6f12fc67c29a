import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { encodeMessage, initialState, resyncMessage, roomName } from '../../protocol/index.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { RawPeer } from '../testing/raw-peer.js';
import { rawTcp, upgradeRequest } from '../testing/raw-tcp.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

describeWithModel('what a gateway bounds', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, {
      settings: { ...TEST_KEYS, CAPTION_MAX_VIEWERS_PER_IDENTITY: 2, CAPTION_MAX_CONNECTIONS: 20 },
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

  it('is the number of connections, and further ones are not accepted until some end', async () => {
    const peers = await Promise.all(Array.from({ length: 40 }, () => rawTcp(gateway.url, '')));
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
