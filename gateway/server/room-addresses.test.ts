import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { roomName, SUBPROTOCOL } from '../../protocol/index.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { RawPeer } from '../testing/raw-peer.js';
import { rawTcp } from '../testing/raw-tcp.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

describeWithModel('an address of a room', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  /** What is shown as written by tools. */
  const written = (room: string): string[] =>
    gateway.rooms
      .enter(roomName(room))
      .state.finals.map(({ words }) => words.map(({ text }) => text).join(' '));

  /** As it is: clients take dots out of addresses. */
  async function post(target: string, text: string): Promise<string> {
    const peer = await rawTcp(
      gateway.url,
      `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    afterwards(() => void peer.socket.destroy());
    await waitUntil(() => (peer.isClosed() ? undefined : 'the connection is open'));
    return peer.received().toString().split('\r\n')[0] ?? '';
  }

  it('takes what tools put behind an address without a query for the query', async () => {
    const address = `${gateway.url}/v1/rooms/council/captions`;
    const posted = await fetch(`${address}&seq=7&lang=fr`, { method: 'POST', body: 'Bonjour' });
    expect([posted.status, await posted.text()]).toEqual([200, '7\n']);
    expect(written('council')).toEqual(['Bonjour']);
    expect(await (await fetch(`${address}/seq&lang=fr`)).text()).toBe('7\n');
    expect((await fetch(`${address}&seq=none`, { method: 'POST', body: 'x' })).status).toBe(400);
  });

  it('may end in a slash', async () => {
    const address = `${gateway.url}/v1/rooms/slash/captions`;
    expect((await fetch(`${address}/?seq=1`, { method: 'POST', body: 'One' })).status).toBe(200);
    expect((await fetch(`${address}/&seq=2`, { method: 'POST', body: 'Two' })).status).toBe(200);
    expect(written('slash')).toEqual(['One', 'Two']);
    const viewer = await new RawPeer(`${gateway.url}/v1/captions/?room=slash`, {
      subprotocols: [SUBPROTOCOL],
    }).opened();
    afterwards(() => viewer.socket.terminate());
    await waitUntil(() => (viewer.messages.length > 0 ? undefined : 'nothing was sent'));
    expect(viewer.messages[0]).toMatchObject({ kind: 'snapshot', room: 'slash' });
  });

  it.each(['.', '..'])('may be that of a room called %s, percent-encoded or as it is', async (room) => {
    expect(await post(`/v1/rooms/${room}/captions?seq=1`, 'one')).toBe('HTTP/1.1 200 OK');
    const encoded = room.replaceAll('.', '%2E');
    expect(await post(`/v1/rooms/${encoded}/captions?seq=2`, 'two')).toBe('HTTP/1.1 200 OK');
    expect(written(room)).toEqual(['one', 'two']);
  });
});
