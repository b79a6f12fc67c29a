/** `GET /v1/rooms/{room}/key` of real gateways, beside a real livekit-server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roomKeysIn, roomName } from '../../../protocol/index.js';
import { accessToken, TEST_KEYS } from '../../testing/access-token.js';
import { cleanupsAfterAll, cleanupsAfterEach } from '../../testing/cleanups.js';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.js';
import { waitUntil } from '../../testing/wait-until.js';
import { gatewayKeys } from '../../web/sources/gateway-keys.js';
import { disposeSdk } from '../dispose-sdk.js';
import { LiveKitAdmin } from '../livekit-admin.js';
import { startLiveKitGateway } from '../testing/captioned-meeting.js';
import { startEarlessBot } from '../testing/earless-bot.js';
import {
  describeWithModelAndLiveKit,
  startTestLiveKit,
  type TestLiveKit,
} from '../testing/livekit-server.js';
import { RoomKeyAnswers } from './room-key-answers.js';

const ALLOWED = 'https://visio.example';
const room = roomName('keys of a/room');

describeWithModelAndLiveKit('the key of a room over HTTPS', (model) => {
  const afterAllTests = cleanupsAfterAll();
  const afterThis = cleanupsAfterEach();
  let server: TestLiveKit;
  let gateway: TestGateway;
  /** As the bot in the room writes it into the metadata: that of another gateway than the one that is asked. */
  let keyInRoom: string;

  beforeAll(async () => {
    server = await startTestLiveKit();
    afterAllTests(() => server.stop());
    gateway = await startLiveKitGateway(model, server, { settings: { CAPTION_ALLOWED_ORIGINS: ALLOWED } });
    afterAllTests(() => gateway.close());
    const roads = { captions: true, transcription: false, legacy: 'off' } as const;
    const bot = await startEarlessBot(server, { room, agentName: 'captions', roads });
    afterAllTests(() => bot.leave());
    const admin = new LiveKitAdmin(server);
    const keys = async (): Promise<readonly string[]> => roomKeysIn((await admin.findRoom(room))?.metadata);
    await waitUntil(async () => ((await keys()).length === 1 ? undefined : 'no key in the metadata'));
    [keyInRoom = ''] = await keys();
  });
  afterAll(() => disposeSdk());

  const tokenFor = (video: Record<string, unknown>): Promise<string> =>
    accessToken({ issuer: server.apiKey, secret: server.apiSecret, video });
  const viewerToken = (): Promise<string> => tokenFor({ room, roomJoin: true });
  const ask = (
    headers: Readonly<Record<string, string>>,
    options: { of?: string; method?: string; from?: string } = {},
  ): Promise<Response> => {
    const { of = room, method = 'GET', from = gateway.url } = options;
    const address = from.replace(/^ws/, 'http');
    return fetch(new URL(`/v1/rooms/${encodeURIComponent(of)}/key`, address), { method, headers });
  };
  const bearer = async (token: Promise<string>): Promise<{ Authorization: string }> => ({
    Authorization: `Bearer ${await token}`,
  });

  it('is the one in the room, from every gateway of the deployment, for whoever may see its captions', async () => {
    const answer = await ask(await bearer(viewerToken()));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ room, keys: [keyInRoom] });
    const other = new RoomKeyAnswers({ admin: new LiveKitAdmin(server), apiSecret: server.apiSecret });
    expect(await other.keysOf(room)).toEqual([keyInRoom]);
  });

  it('is what a page learns that asks a gateway', async () => {
    const keysOf = gatewayKeys(gateway.url.replace(/^ws/, 'http'), viewerToken);
    expect(await keysOf(room)).toEqual([keyInRoom]);
    await expect(keysOf('another')).rejects.toThrow('HTTP status 403');
  });

  it.each([
    ['no token', () => Promise.resolve({}), 401],
    ['a token for another room', () => bearer(tokenFor({ room: 'another', roomJoin: true })), 403],
    ['a token that may not see', () => bearer(tokenFor({ room, roomJoin: true, canSubscribe: false })), 403],
    [
      'a token of nobody’s',
      () => bearer(accessToken({ secret: `${server.apiSecret}.`, issuer: server.apiKey })),
      401,
    ],
  ] as const)('is not given to %s', async (_title, headers, status) => {
    const answer = await ask(await headers());
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain(keyInRoom);
  });

  it('is not there for a room that nobody has joined', async () => {
    const answer = await ask(await bearer(tokenFor({ room: 'empty', roomJoin: true })), { of: 'empty' });
    expect(answer.ok).toBe(false);
    expect(await answer.json()).toMatchObject({ code: 'livekit_room_missing' });
  });

  it('can be read by pages of the origins that are allowed, and by no others', async () => {
    const asked = await ask(
      {
        Origin: ALLOWED,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      },
      { method: 'OPTIONS' },
    );
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
    const answer = await ask({ ...(await bearer(viewerToken())), Origin: ALLOWED });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ALLOWED);
    const elsewhere = await ask({ ...(await bearer(viewerToken())), Origin: 'https://evil.example' });
    expect(elsewhere.status).toBe(403);
    expect(await elsewhere.text()).not.toContain(keyInRoom);
  });

  it('is not there, and needed by nobody, where the gateway has no rooms of LiveKit', async () => {
    const alone = await startTestGateway(model, { settings: TEST_KEYS });
    afterThis(() => alone.close());
    const answer = await ask(await bearer(accessToken()), { of: 'council', from: alone.url });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'not_found' });
  });
});
