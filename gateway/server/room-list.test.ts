import { beforeAll, describe, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import { roomName } from '../../protocol/index.js';
import { Room } from '../rooms/room.js';
import { accessToken, TEST_KEYS } from '../testing/access-token.js';
import { welcomedCaptioner } from '../testing/captioner-peer.js';
import { cleanupsAfterAll } from '../testing/cleanups.js';
import { welcomedPeer } from '../testing/raw-peer.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { waitUntil } from '../testing/wait-until.js';
import { allowEverything } from './authentication.js';
import { listRooms, type RoomList } from './room-list.js';

describe('a list of rooms', () => {
  it('is bounded, tells how many it leaves out, and begins with those that began last', async () => {
    const permissions = await allowEverything.authenticate({} as never);
    const rooms = Array.from({ length: 1000 }, (_, index) => {
      const room = new Room(roomName(`${index} ${'x'.repeat(240)}`), 1);
      room.addSpeaker('somebody');
      return room;
    });
    const { rooms: listed, omitted } = listRooms(rooms, permissions);
    expect([listed.length, omitted]).toEqual([200, 800]);
    expect(JSON.stringify(listed).length).toBeLessThan(100_000);
    const times = listed.map(({ startedAt }) => startedAt);
    expect(times).toEqual([...times].sort().reverse());
  });
});

describeWithModel('the rooms over HTTP', (model) => {
  const afterAllTests = cleanupsAfterAll();
  let gateway: TestGateway;
  let guarded: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway(model, {
      settings: { CAPTION_ALLOWED_ORIGINS: 'https://visio.example', CAPTION_INGEST_RESUME_S: 0 },
    });
    guarded = await startTestGateway(model, { settings: TEST_KEYS });
    afterAllTests(() => gateway.close());
    afterAllTests(() => guarded.close());
  });

  const list = async (of = gateway, headers: Record<string, string> = {}): Promise<RoomList> =>
    (await (await fetch(`${of.url}/v1/rooms`, { headers })).json()) as RoomList;
  const countsOf = ({ rooms }: RoomList): unknown => rooms.map(({ room, speakers }) => [room, speakers]);

  it('are those in which somebody is to speak or to write, as long as they are there', async () => {
    expect(await list()).toEqual({ rooms: [], omitted: 0 });
    const beforeMs = Date.now();
    const ana = await welcomedPeer(gateway.url, { room: 'Salle \u{1f3db} / 1' });
    const bo = await welcomedPeer(gateway.url, {
      room: 'Salle \u{1f3db} / 1',
      speaker: { identity: 'bo', name: 'Bo' },
    });
    // Whoever only looks makes no room live.
    gateway.rooms.enter(roomName('looked at')).addViewer({
      sendSnapshot: () => undefined,
      send: () => undefined,
    });
    const both = await list();
    expect(countsOf(both)).toEqual([['Salle \u{1f3db} / 1', 2]]);
    const startedAtMs = Date.parse(both.rooms[0]?.startedAt ?? '');
    expect(startedAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(startedAtMs).toBeLessThanOrEqual(Date.now());
    const carol = await welcomedCaptioner(gateway.url, roomName('written'));
    expect(countsOf(await list())).toEqual([
      ['written', 0],
      ['Salle \u{1f3db} / 1', 2],
    ]);
    bo.send({ kind: 'end' });
    carol.send({ kind: 'end' });
    await bo.received('ended');
    await carol.received('ended');
    ana.send({ kind: 'end' });
    await ana.received('ended');
    await waitUntil(() => {
      const live = gateway.rooms.rooms.filter(({ liveSinceMs }) => liveSinceMs !== undefined);
      return live.length === 0 ? undefined : `${live.length} rooms are live`;
    });
    expect(await list()).toEqual({ rooms: [], omitted: 0 });
  });

  it('with keys are those alone that the token may see', async () => {
    for (const name of ['council', 'elsewhere']) guarded.rooms.enter(roomName(name)).addSpeaker('test');
    const seenWith = async (video?: Record<string, unknown>): Promise<unknown> => {
      const token = await accessToken(video === undefined ? {} : { video });
      return countsOf(await list(guarded, { Authorization: `Bearer ${token}` }));
    };
    expect(await seenWith()).toEqual([['council', 0]]);
    expect(await seenWith({ room: 'elsewhere', roomJoin: true })).toEqual([['elsewhere', 0]]);
    expect(await seenWith({ room: 'council', roomJoin: true, canSubscribe: false })).toEqual([]);
    expect(await seenWith({ room: 'council' })).toEqual([]);
    expect(await seenWith({ roomList: true, roomAdmin: true })).toEqual([]);
    for (const headers of [{}, { Authorization: 'Bearer nonsense' }]) {
      const response = await fetch(`${guarded.url}/v1/rooms`, { headers });
      expect([response.status, await response.json()]).toMatchObject([401, { code: 'unauthorised' }]);
    }
  });

  it('are told to allowed origins, by GET and HEAD', async () => {
    const ask = (origin: string, method = 'GET'): Promise<Response> =>
      fetch(`${gateway.url}/v1/rooms`, { method, headers: { origin } });
    const allowed = await ask('https://visio.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'https://visio.example',
    ]);
    expect((await ask('https://evil.example')).status).toBe(403);
    expect((await ask('https://visio.example', 'OPTIONS')).status).toBe(204);
    expect((await ask('https://visio.example', 'HEAD')).status).toBe(200);
    const posted = await ask('https://visio.example', 'POST');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
