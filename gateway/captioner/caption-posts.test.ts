import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { cleanupsAfterAll } from '../testing/cleanups.js';
import { rawTcp } from '../testing/raw-tcp.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

describeWithModel('captions that tools post', (model) => {
  const afterAllTests = cleanupsAfterAll();
  let gateway: TestGateway;
  let rooms = 0;

  beforeAll(async () => {
    gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
  });

  function freshRoom() {
    const name = roomName(`posts ${(rooms += 1)}`);
    const address = `${gateway.url}/v1/rooms/${encodeURIComponent(name)}/captions`;
    const post = (query: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(`${address}?${query}`, { method: 'POST', body, headers: { 'Content-Type': 'text/plain' } });
    const finals = (): string[] =>
      (gateway.rooms.find(name)?.state.finals ?? []).map(
        ({ speaker, language, words }) =>
          `${speaker.name} (${language}): ${words.map(({ text }) => text).join(' ')}`,
      );
    return { name, address, post, finals };
  }

  it('are shown as final, once each, however often they are posted', async () => {
    const { name, address, post, finals } = freshRoom();
    for (const [seq, text] of [
      [1, 'Good morning,\neverybody.'],
      [1, 'Good morning,\neverybody.'],
      [2, 'Let us begin.'],
      [1, 'Good morning,\neverybody.'],
    ] as const) {
      const response = await post(`seq=${seq}&lang=en-US`, text);
      expect([response.status, await response.text()]).toEqual([200, `${seq}\n`]);
    }
    expect(finals()).toEqual([
      'captioner (en-US): Good morning, everybody.',
      'captioner (en-US): Let us begin.',
    ]);
    expect(await (await fetch(`${address}/seq`)).text()).toBe('2\n');
    // A tool that was started again counts from the beginning.
    await post('seq=1&lang=en-US', 'Back again.');
    expect(finals()).toHaveLength(3);
    await post('seq=2&lang=fr_fr', 'Bonjour.');
    expect(finals().at(-1)).toBe('captioner (fr-FR): Bonjour.');
    expect(gateway.rooms.find(name)?.speakerCount).toBe(1);
  });

  it('stand in for recognition where the address says so', async () => {
    const { name, post } = freshRoom();
    await post('seq=1&replaces=everybody', 'Hello.');
    expect(gateway.rooms.find(name)?.isReplaced(participantIdentity('ana'))).toBe(true);
    await post('seq=2', 'Hello again.');
    expect(gateway.rooms.find(name)?.isReplaced(participantIdentity('ana'))).toBe(false);
  });

  it.each<[string, string, string | Uint8Array<ArrayBuffer>, number, string]>([
    ['no seq', '', 'x', 400, 'query_invalid'],
    ['an empty seq', 'seq=', 'x', 400, 'query_invalid'],
    ['half a seq', 'seq=1.5', 'x', 400, 'query_invalid'],
    ['a language in other letters', `seq=1&lang=${encodeURIComponent('日本')}`, 'x', 400, 'query_invalid'],
    ['a long language', `seq=1&lang=${'x'.repeat(36)}`, 'x', 400, 'query_invalid'],
    ['too much text', 'seq=1', 'x'.repeat(4097), 413, 'message_too_large'],
    ['bytes that are no text', 'seq=1', new Uint8Array([0xff, 0xfe]), 400, 'message_malformed'],
  ])('are refused with %s', async (...[, query, body, status, code]) => {
    const { post, finals } = freshRoom();
    const response = await post(query, body);
    expect([response.status, await response.json()]).toMatchObject([status, { code }]);
    expect(finals()).toEqual([]);
  });

  it('are told that they are too long however long they are, and the next one on the connection is read', async () => {
    const { name, finals } = freshRoom();
    const head = (seq: number): string =>
      `POST /v1/rooms/${encodeURIComponent(name)}/captions?seq=${seq} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
    const client = await rawTcp(gateway.url, `${head(1)}Content-Length: 1000000\r\n\r\n${'x'.repeat(5000)}`);
    const answers = (text: string): Promise<void> =>
      waitUntil(() => (client.received().toString().includes(text) ? undefined : `no ${text}`));
    await answers('message_too_large');
    client.socket.write('x'.repeat(995_000));
    client.socket.write(`${head(2)}Content-Length: 6\r\n\r\nHello.`);
    await answers('200 OK');
    expect(finals()).toEqual(['captioner (): Hello.']);
    client.socket.destroy();
  });

  it('that break off are no failures of the gateway, and show nothing', async () => {
    const { name, finals } = freshRoom();
    const address = `/v1/rooms/${encodeURIComponent(name)}/captions?seq=1`;
    const refused = async (): Promise<number> => {
      const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
      return Number(/refused_connections_total\{code="message_malformed"\} (\d+)/.exec(metrics)?.[1] ?? 0);
    };
    const before = await refused();
    const client = await rawTcp(
      gateway.url,
      `POST ${address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nHello`,
    );
    client.socket.end();
    await waitUntil(async () => ((await refused()) > before ? undefined : 'it is not refused yet'));
    expect(gateway.logText()).not.toContain('request failed');
    expect(finals()).toEqual([]);
  });

  it('are refused for a moment when they flood', async () => {
    const { post, finals } = freshRoom();
    const responses = await Promise.all(
      Array.from({ length: 120 }, (_, seq) => post(`seq=${seq}`, `Caption ${seq}.`)),
    );
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(20);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(finals().length).toBe(Math.min(50, 120 - refused.length));
  });

  it('take one word of 4,096 characters, in pieces', async () => {
    const { post, finals } = freshRoom();
    expect((await post('seq=1', 'x'.repeat(4096))).status).toBe(200);
    expect(finals()[0]?.replaceAll(' ', '')).toContain('x'.repeat(4096));
  });

  it('need a captioner’s token, which may stand in the address', async () => {
    const guarded = await startTestGateway(model, { settings: TEST_KEYS });
    afterAllTests(() => guarded.close());
    const post = async (token: string): Promise<number> =>
      (
        await fetch(`${guarded.url}/v1/rooms/council/captions?seq=1&access_token=${token}`, {
          method: 'POST',
          body: 'Hello.',
        })
      ).status;
    expect(await post('')).toBe(401);
    expect(await post(await accessToken())).toBe(403);
    expect(await post(await accessToken({ isCaptioner: true }))).toBe(200);
    const [final] = guarded.rooms.find(roomName('council'))?.state.finals ?? [];
    expect(final?.speaker).toEqual({ identity: 'ana', name: 'Ana' });
    expect(guarded.logText()).not.toContain('access_token');
  });
});
