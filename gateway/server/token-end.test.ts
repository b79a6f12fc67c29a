import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { accessToken, TEST_KEYS, type TokenChanges } from '../testing/access-token.js';
import { captionerHello } from '../testing/captioner-peer.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { textMatching } from '../testing/matchers.js';
import { helloWith, RawPeer } from '../testing/raw-peer.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';

const council = roomName('council');
const ana = participantIdentity('ana');
/** With the minute for clocks that differ, these tokens count for two seconds more. */
const ENDS_SOON: TokenChanges = { expiresInS: -58, isCaptioner: true };
const GOOD: TokenChanges = { isCaptioner: true };

const ENDPOINTS = [
  { name: 'a viewer', path: '/v1/captions?room=council', hello: undefined, begun: 'snapshot' },
  { name: 'a speaker', path: '/v1/ingest', hello: helloWith(), begun: 'welcome' },
  {
    name: 'a captioner',
    path: '/v1/captioner?room=council',
    hello: captionerHello({ captioner: { identity: 'ana' } }),
    begun: 'welcome',
  },
] as const;
type Endpoint = (typeof ENDPOINTS)[number];

describeWithModel('a connection', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, { settings: TEST_KEYS });
    afterAllTests(() => gateway.close());
  });

  async function begin({ path, hello, begun }: Endpoint, changes: TokenChanges): Promise<RawPeer> {
    const token = await accessToken(changes);
    const peer = new RawPeer(`${gateway.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    afterwards(() => peer.socket.terminate());
    await peer.opened();
    if (hello !== undefined) peer.send(hello);
    await waitUntil(() => (kindsOf(peer).includes(begun) ? undefined : `no ${begun}`));
    return peer;
  }

  const kindsOf = (peer: RawPeer): string[] => peer.messages.map(({ kind }) => kind);
  const accessOf = (peer: RawPeer) => peer.messages.filter((message) => message.kind === 'access');

  function sendToken({ path }: Endpoint, peer: RawPeer, token: unknown): void {
    const version = path.startsWith('/v1/captions') ? { v: 1 } : {};
    peer.send({ ...version, kind: 'token', token });
  }

  describe.each(ENDPOINTS)('of $name', (endpoint) => {
    it('is told when its token ends, and ends with it: with a newer one it can come back', async () => {
      const beganAtMs = Date.now();
      const peer = await begin(endpoint, ENDS_SOON);
      await waitUntil(() => (accessOf(peer).length === 1 ? undefined : 'not told'));
      const [told] = accessOf(peer);
      expect(told?.expiresAtMs).toBeGreaterThan(beganAtMs - 60_000);
      expect(told?.expiresAtMs).toBeLessThan(Date.now() - 57_000);
      expect(await peer.closed()).toEqual({ code: 4401, reason: textMatching(/^token_expired: /) });
      if (endpoint.hello !== undefined)
        expect(peer.messages.find(({ kind }) => kind === 'error')).toMatchObject({
          code: 'token_expired',
          retryable: true,
        });
      const again = await begin(endpoint, GOOD);
      expect(again.socket.readyState).toBe(again.socket.OPEN);
    });

    it('outlives its token with a newer one', async () => {
      const peer = await begin(endpoint, ENDS_SOON);
      await waitUntil(() => (accessOf(peer).length === 1 ? undefined : 'not told'));
      const formerEndMs = (accessOf(peer)[0]?.expiresAtMs ?? 0) + 60_000;
      sendToken(endpoint, peer, await accessToken(GOOD));
      await waitUntil(() => (accessOf(peer).length === 2 ? undefined : 'no answer'));
      expect(accessOf(peer)[1]).not.toHaveProperty('refusal');
      expect(accessOf(peer)[1]?.expiresAtMs).toBeGreaterThan(Date.now() + 590_000);
      await waitUntil(() => (Date.now() > formerEndMs + 300 ? undefined : 'the former token counts'));
      // It answers still.
      sendToken(endpoint, peer, 'aa.bb.cc');
      await waitUntil(() => (accessOf(peer).length === 3 ? undefined : 'no answer'));
      expect(peer.socket.readyState).toBe(peer.socket.OPEN);
    });

    it.each<[string, TokenChanges, string]>([
      ['is for somebody else', { ...GOOD, identity: 'bob', expiresInS: 900 }, 'token_refused'],
      ['ends before', { ...GOOD, expiresInS: 300 }, 'token_refused'],
      [
        'is for another room',
        { ...GOOD, expiresInS: 900, video: { room: 'x', roomJoin: true } },
        'forbidden',
      ],
      ['does not let them join', { ...GOOD, expiresInS: 900, video: { room: 'council' } }, 'forbidden'],
      ['has ended', { ...GOOD, expiresInS: -300 }, 'token_expired'],
      ['is signed by others', { ...GOOD, secret: 'another-secret-of-32-characters!!' }, 'unauthorised'],
    ])('keeps its token when the one that comes %s', async (...[, changes, code]) => {
      const peer = await begin(endpoint, GOOD);
      await waitUntil(() => (accessOf(peer).length === 1 ? undefined : 'not told'));
      sendToken(endpoint, peer, await accessToken(changes));
      await waitUntil(() => (accessOf(peer).length === 2 ? undefined : 'no answer'));
      const [told, answer] = accessOf(peer);
      expect(answer).toMatchObject({ expiresAtMs: told?.expiresAtMs, refusal: { code } });
      expect(peer.socket.readyState).toBe(peer.socket.OPEN);
    });

    it('ends at once when LiveKit removes its owner, and no token from before opens another one', async () => {
      const peer = await begin(endpoint, { ...GOOD, issuedInS: -5 });
      gateway.access.removed(council, ana);
      afterwards(() => gateway.access.admitted(council, ana, { maySubscribe: true, maySpeak: true }));
      expect(await peer.closed()).toEqual({
        code: 4403,
        reason: textMatching(/^access_withdrawn: .*removed/),
      });
      const token = await accessToken({ ...GOOD, issuedInS: -5 });
      const refused = new RawPeer(`${gateway.url}${endpoint.path}`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      refused.socket.once('open', () => {
        if (endpoint.hello !== undefined) refused.send(endpoint.hello);
      });
      expect(await refused.closed()).toEqual({ code: 4403, reason: textMatching(/^access_withdrawn: /) });
      const newer = await begin(endpoint, { ...GOOD, issuedInS: 1 });
      expect(newer.socket.readyState).toBe(newer.socket.OPEN);
    });
  });

  it('of a speaker goes on with its stream when it comes back with a newer token', async () => {
    const [, speaking] = ENDPOINTS;
    const peer = await begin(speaking, ENDS_SOON);
    peer.sendPcm(new Int16Array(1600));
    const { stream } = await peer.received('welcome');
    expect(await peer.closed()).toMatchObject({ code: 4401 });
    const hello = helloWith({ resume: { stream, fromSample: 0 } });
    const again = await begin({ ...speaking, hello }, GOOD);
    expect(await again.received('welcome')).toMatchObject({ stream, expectSample: 1600 });
  });

  it('of a viewer keeps its token when the one that comes may not see captions', async () => {
    const [viewing] = ENDPOINTS;
    const peer = await begin(viewing, GOOD);
    await waitUntil(() => (accessOf(peer).length === 1 ? undefined : 'not told'));
    const video = { room: 'council', roomJoin: true, canSubscribe: false };
    sendToken(viewing, peer, await accessToken({ ...GOOD, expiresInS: 900, video }));
    await waitUntil(() => (accessOf(peer).length === 2 ? undefined : 'no answer'));
    expect(accessOf(peer)[1]).toMatchObject({ refusal: { code: 'forbidden' } });
  });

  it('with a token that has ended is refused so that a client knows that a new one helps', async () => {
    const token = await accessToken({ expiresInS: -100 });
    for (const { path } of ENDPOINTS) {
      const peer = new RawPeer(`${gateway.url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
      expect(await peer.closed()).toEqual({
        code: 4401,
        reason: textMatching(/^token_expired: .* 10\d s ago/),
      });
    }
  });

  it('is what somebody has who posts captions, too: who is removed leaves at once, and recognition goes on', async () => {
    const post = async (changes: TokenChanges): Promise<number> => {
      const token = await accessToken({ ...GOOD, ...changes });
      const address = `${gateway.url}/v1/rooms/council/captions?seq=1&replaces=everybody&access_token=${token}`;
      return (await fetch(address, { method: 'POST', body: 'Hello.' })).status;
    };
    expect(await post({ issuedInS: -5 })).toBe(200);
    const room = gateway.rooms.enter(council);
    expect(room.isReplaced(participantIdentity('bo'))).toBe(true);
    gateway.access.removed(council, ana);
    afterwards(() => gateway.access.admitted(council, ana, { maySubscribe: true, maySpeak: true }));
    expect(room.isReplaced(participantIdentity('bo'))).toBe(false);
    expect(await post({ issuedInS: -5 })).toBe(403);
  });
});

describeWithModel('a gateway without keys', (model) => {
  const afterAllTests = cleanupsAfterAll();

  it('tells no end, and takes any token that it is sent', async () => {
    const gateway = await startTestGateway(model);
    afterAllTests(() => gateway.close());
    const peer = await new RawPeer(`${gateway.url}/v1/captions?room=council`).opened();
    afterAllTests(() => peer.socket.terminate());
    peer.send({ v: 1, kind: 'token', token: 'aa.bb.cc' });
    expect(await peer.received('access')).toEqual({ v: 1, kind: 'access' });
    expect(peer.messages.filter(({ kind }) => kind === 'access')).toHaveLength(1);
  });
});
