import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { participantIdentity, roomName, SUBPROTOCOL } from '../../protocol/index.js';
import { connectCaptions } from '../client/caption-client.js';
import { connectIngest } from '../client/ingest-client.js';
import { accessToken, TEST_KEYS, type TokenChanges } from '../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../testing/cleanups.js';
import { helloWith, RawPeer } from '../testing/raw-peer.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { textMatching, textWith } from '../testing/matchers.js';

const CAPTIONS = '/v1/captions?room=council';
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by nobody (RFC 7519, section 6). */
const unsignedToken = (): string =>
  `${base64url({ alg: 'none' })}.${base64url({
    iss: TEST_KEYS.LIVEKIT_API_KEY,
    sub: 'ana',
    exp: 4_000_000_000,
    video: { room: 'council', roomJoin: true },
  })}.`;

describeWithModel('a gateway without keys', (model) => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'captions.example'])(
    'does not listen on %s',
    async (CAPTION_HOST) => {
      await expect(startTestGateway(model, { settings: { CAPTION_HOST } })).rejects.toMatchObject({
        code: 'config_invalid',
        message: textWith('LIVEKIT_API_KEY'),
      });
    },
  );

  it('does not start on all interfaces with a key that everybody knows', async () => {
    const settings = { CAPTION_HOST: '0.0.0.0', LIVEKIT_API_KEY: 'devkey', LIVEKIT_API_SECRET: 'secret' };
    await expect(startTestGateway(model, { settings })).rejects.toMatchObject({
      code: 'config_invalid',
      message: textWith('openssl rand'),
    });
  });

  it.each(['localhost', '::1'])('listens on %s and wants no token', async (CAPTION_HOST) => {
    const gateway = await startTestGateway(model, { settings: { CAPTION_HOST } });
    const viewer = connectCaptions({ url: gateway.url, room: roomName('council'), changed: () => undefined });
    await viewer.ready;
    viewer.close();
    await gateway.close();
    expect(viewer.state.needsResync).toBe(false);
  });
});

describeWithModel('a gateway with keys', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterwards = cleanupsAfterEach();
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, {
      settings: { ...TEST_KEYS, CAPTION_ALLOWED_ORIGINS: 'https://visio.example, https://two.example' },
      logLevel: 'debug',
    });
    afterAllTests(() => gateway.close());
  });

  function peer(path: string, token: string | undefined, headers: Record<string, string> = {}): RawPeer {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const connected = new RawPeer(`${gateway.url}${path}`, { headers: { ...authorization, ...headers } });
    afterwards(() => connected.socket.terminate());
    return connected;
  }

  const isRefused = async (refused: RawPeer, code: string, closeCode: number): Promise<void> => {
    expect(await refused.closed()).toEqual({
      code: closeCode,
      reason: textMatching(new RegExp(`^${code}: `)),
    });
  };

  const UNAUTHORISED: [string, () => Promise<string | undefined>][] = [
    ['no token', () => Promise.resolve(undefined)],
    ['garbage', () => Promise.resolve('abc.def.ghi')],
    ['a word', () => Promise.resolve('token')],
    ['a token that never expires', () => accessToken({ expiresInS: null })],
    ['a token of another secret', () => accessToken({ secret: 'another-secret-of-32-characters!!' })],
    ['a token of another key', () => accessToken({ issuer: 'otherkey' })],
    ['a token with another algorithm', () => accessToken({ algorithm: 'HS512' })],
    ['an unsigned token', () => Promise.resolve(unsignedToken())],
  ];

  it.each(UNAUTHORISED)('refuses %s on both endpoints', async (_, makeToken) => {
    const token = await makeToken();
    await isRefused(peer(CAPTIONS, token), 'unauthorised', 4401);
    await isRefused(peer('/v1/ingest', token), 'unauthorised', 4401);
  });

  it.each<[string, TokenChanges]>([
    ['another room', { video: { room: 'other', roomJoin: true } }],
    ['no room', { video: { roomJoin: true } }],
    ['the right to join denied', { video: { room: 'council', roomJoin: false } }],
    ['the right to join not given', { video: { room: 'council' } }],
    ['the right to subscribe denied', { video: { room: 'council', roomJoin: true, canSubscribe: false } }],
    ['no grants', { video: {} }],
  ])('shows no captions to a token with %s', async (_, changes) => {
    await isRefused(peer(CAPTIONS, await accessToken(changes)), 'forbidden', 4403);
  });

  it.each<[string, TokenChanges]>([
    ['another room', { video: { room: 'other', roomJoin: true } }],
    ['the right to join not given', { video: { room: 'council' } }],
    ['the right to publish denied', { video: { room: 'council', roomJoin: true, canPublish: false } }],
    [
      'sources to publish without a microphone',
      { video: { room: 'council', roomJoin: true, canPublish: true, canPublishSources: ['camera'] } },
    ],
    ['another identity', { identity: 'bob' }],
  ])('hears no speaker with %s', async (_, changes) => {
    const speaker = await peer('/v1/ingest', await accessToken(changes)).opened();
    speaker.send(helloWith());
    expect(await speaker.received('error')).toMatchObject({ code: 'forbidden', retryable: false });
    await isRefused(speaker, 'forbidden', 4403);
  });

  it.each<[string, TokenChanges]>([
    ['who may all', {}],
    [
      'who may watch only',
      { video: { room: 'council', roomJoin: true, canPublish: false, canSubscribe: true } },
    ],
    ['of any identity', { identity: 'somebody' }],
    ['whose token ended within the minute that clocks may differ', { expiresInS: -50 }],
    ['whose token begins within that minute', { beginsInS: 50 }],
  ])('shows captions to those %s', async (_, changes) => {
    const viewer = peer(CAPTIONS, await accessToken(changes));
    await waitUntil(() => (viewer.messages.length > 0 ? undefined : 'no snapshot'));
    expect(viewer.messages[0]).toMatchObject({ kind: 'snapshot' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['the right token', {}],
    ['an empty list of sources to publish, which is all of them', { canPublishSources: [] }],
    ['a microphone among the sources to publish', { canPublishSources: ['camera', 'microphone'] }],
  ])('hears a speaker with %s', async (_, video) => {
    const token = await accessToken({ video: { room: 'council', roomJoin: true, ...video } });
    const speaker = await peer('/v1/ingest', token).opened();
    speaker.send(helloWith());
    expect(await speaker.received('welcome')).toMatchObject({ expectSample: 0 });
  });

  it.each<[string, TokenChanges, RegExp, string]>([
    [
      'begins too far ahead',
      { beginsInS: 95 },
      /begins \(nbf\) in 9[3-5] s.*the clocks differ by 9[3-5] s/,
      'unauthorised',
    ],
    ['ended too long ago', { expiresInS: -95 }, /ended 9[5-7] s ago/, 'token_expired'],
    [
      'is signed with another secret',
      { secret: 'another-secret-of-32-characters!!' },
      /another secret/,
      'unauthorised',
    ],
    ['is of another key', { issuer: 'otherkey' }, /LIVEKIT_API_KEY/, 'unauthorised'],
    ['never ends', { expiresInS: null }, /exp/, 'unauthorised'],
  ])('says why a token that %s is refused', async (...[, changes, why, code]) => {
    const answer = await fetch(`${gateway.url}/v1/rooms`, {
      headers: { Authorization: `Bearer ${await accessToken(changes)}` },
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer');
    expect(await answer.json()).toEqual({ code, message: textMatching(why) });
  });

  it.each([
    ['the name of the token', { name: 'Ana López' }, 'Mallory', 'Ana López'],
    ['the name that was said where the token has none', { name: '' }, 'Ana', 'Ana'],
    ['no name where neither has one', { name: '' }, '', ''],
    ['the identity where nothing is seen of the name', { name: '\u3164\u200B' }, 'Mallory', 'ana'],
    ['a name that turns nothing around', { name: '\u202EanA' }, '', 'anA'],
  ])('shows a speaker by %s', async (...[, changes, said, shown]) => {
    const token = await accessToken({ ...changes, video: { room: 'names', roomJoin: true } });
    const speaker = await peer('/v1/ingest', token).opened();
    speaker.send(helloWith({ room: 'names', speaker: { identity: 'ana', name: said } }));
    await speaker.received('welcome');
    const [source] = gateway.rooms.enter(roomName('names')).sources;
    expect(source?.speaker).toEqual({ identity: 'ana', name: shown });
    speaker.send({ kind: 'end' });
    await speaker.received('ended');
  });

  it('takes the token from the sub-protocol, as browsers must send it, and does not send it back', async () => {
    const token = await accessToken();
    const subprotocols = [SUBPROTOCOL, `access_token.${token}`];
    const viewer = await new RawPeer(`${gateway.url}${CAPTIONS}`, { subprotocols }).opened();
    afterwards(() => viewer.socket.terminate());
    expect(viewer.socket.protocol).toBe(SUBPROTOCOL);
    await waitUntil(() => (viewer.messages.length > 0 ? undefined : 'no snapshot'));
    const bad = new RawPeer(`${gateway.url}${CAPTIONS}`, {
      subprotocols: [SUBPROTOCOL, 'access_token.x.y.z'],
    });
    await isRefused(bad, 'unauthorised', 4401);
  });

  it('serves its own clients, and tells them for good when they may not', async () => {
    const room = roomName('council');
    const speaker = { identity: participantIdentity('ana'), name: 'Ana' };
    const token = await accessToken();
    const good = connectIngest({ url: gateway.url, room, speaker, token });
    await expect(good.ready).resolves.toBeUndefined();
    await good.end();
    const viewer = connectCaptions({ url: gateway.url, room, token, changed: () => undefined });
    await expect(viewer.ready).resolves.toBeUndefined();
    viewer.close();
    const stranger = connectCaptions({ url: gateway.url, room, changed: () => undefined });
    await expect(stranger.ready).rejects.toMatchObject({ code: 'connection_closed' });
    const impostor = connectIngest({
      url: gateway.url,
      room,
      speaker: { ...speaker, identity: participantIdentity('bob') },
      token,
    });
    await expect(impostor.ready).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('refuses pages of other origins even with a token, and takes those it is told to', async () => {
    const token = await accessToken();
    await isRefused(peer(CAPTIONS, token, { Origin: 'https://evil.example' }), 'origin_refused', 4403);
    for (const Origin of ['https://visio.example', 'https://two.example', gateway.url]) {
      const viewer = peer(CAPTIONS, token, { Origin });
      await waitUntil(() => (viewer.messages.length > 0 ? undefined : `no snapshot for ${Origin}`));
    }
  });

  it('refuses sub-protocols without its own', async () => {
    const client = new RawPeer(`${gateway.url}${CAPTIONS}`, { subprotocols: ['graphql-ws'] });
    expect((await client.closed()).code).not.toBe(1000);
    expect(await (await fetch(`${gateway.url}/metrics`)).text()).toContain('subprotocol_unknown');
  });

  it('forgets a viewer that was gone before its token was checked', async () => {
    const token = await accessToken({ video: { room: 'fleeting', roomJoin: true } });
    for (let index = 0; index < 20; index++) {
      const viewer = new RawPeer(`${gateway.url}/v1/captions?room=fleeting`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      viewer.socket.once('upgrade', () => viewer.socket.terminate());
      await viewer.closed();
    }
    const room = gateway.rooms.enter(roomName('fleeting'));
    await waitUntil(() => (room.viewerCount === 0 ? undefined : `${room.viewerCount} viewers are left`));
    expect(room.viewerCount).toBe(0);
  });

  describe('afterwards', () => {
    it('has written no token, secret or identity to its log', async () => {
      const token = await accessToken({ secret: 'another-secret-of-32-characters!!' });
      await peer(CAPTIONS, token).closed();
      const log = gateway.logText();
      expect(log).toContain('refused');
      expect(log).not.toContain(token);
      expect(log).not.toContain(token.split('.')[2]);
      expect(log).not.toContain(TEST_KEYS.LIVEKIT_API_SECRET);
      expect(log).not.toMatch(/eyJ|Bearer|"Ana"/);
    });
  });
});
