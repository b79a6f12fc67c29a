import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { ParticipantInfo_State } from '@livekit/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { participantIdentity, roomName } from '../../protocol/index.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { waitUntil } from '../testing/wait-until.js';
import { apiAddress, LiveKitAdmin } from './livekit-admin.js';
import { createDispatch } from './participant/create-dispatch.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from './testing/livekit-server.js';
import { joinAsMember } from './testing/room-member.js';
import { disposeSdk } from './dispose-sdk.js';

const KEY = { apiKey: 'devkey', apiSecret: 'a secret of tests, of at least 32 characters' };
const room = roomName('council');
const place = { room, identity: participantIdentity('ana') };

describeWithLiveKit('the API of a livekit-server', () => {
  const afterTest = cleanupsAfterEach();
  let server: TestLiveKit;
  let admin: LiveKitAdmin;

  beforeAll(async () => {
    server = await startTestLiveKit();
    admin = new LiveKitAdmin(server);
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  it('lists rooms, participants and dispatches, and deletes a dispatch', async () => {
    const ana = await joinAsMember(server, { room, identity: 'ana' });
    afterTest(() => ana.disconnect());
    await createDispatch(server, { room, agentName: 'captions', metadata: 'm' });

    expect((await admin.listRooms()).map(({ name }) => name)).toEqual([room]);
    expect((await admin.listParticipants(room)).map(({ identity }) => identity)).toEqual(['ana']);
    const dispatches = await admin.listDispatches(room);
    const ours = dispatches.filter(({ agentName }) => agentName === 'captions');
    expect(ours).toMatchObject([{ room, metadata: 'm' }]);

    await admin.deleteDispatch({ room, id: ours[0]!.id });
    expect((await admin.listDispatches(room)).map(({ agentName }) => agentName)).not.toContain('captions');
  });

  it('reaches a hidden participant with data, and sets and removes its attributes', async () => {
    const received: string[] = [];
    const bot = await joinAsMember(server, { room, identity: 'ana', isAgent: true }, (joining) =>
      joining.on('dataReceived', (...[bytes, , , topic]) =>
        received.push(`${topic ?? ''}: ${new TextDecoder().decode(bytes)}`),
      ),
    );
    afterTest(() => bot.disconnect());

    // Before that, the server drops what is sent to it.
    await expect
      .poll(async () => (await admin.getParticipant(place)).state, { timeout: 20_000 })
      .toBe(ParticipantInfo_State.ACTIVE);
    await admin.sendData(place, { topic: 'probe', bytes: new TextEncoder().encode('hello') });
    await waitUntil(() => (received.length > 0 ? undefined : 'received'));
    expect(received).toEqual(['probe: hello']);

    await admin.setAttributes(place, { mood: 'good', place: 'here' });
    await admin.setAttributes(place, { mood: '' });
    const { attributes, permission } = await admin.getParticipant(place);
    expect(attributes).toEqual({ place: 'here' });
    expect(permission?.hidden).toBe(true);
  });

  it('removes a participant', async () => {
    const ana = await joinAsMember(server, { room, identity: 'ana' });
    afterTest(() => ana.disconnect());
    await admin.removeParticipant(place);
    await waitUntil(() => (ana.isConnected ? 'removed' : undefined));
    expect(await admin.listParticipants(room)).toEqual([]);
  });

  it('tells a room or a participant that is not there from a server that is not', async () => {
    const nowhere = roomName('nowhere');
    const missing = { code: 'livekit_room_missing', retryable: false };
    expect(await admin.listParticipants(nowhere)).toEqual([]);
    await expect(admin.listDispatches(nowhere)).rejects.toMatchObject(missing);
    await expect(admin.getParticipant({ ...place, room: nowhere })).rejects.toMatchObject(missing);
    await expect(admin.setAttributes({ ...place, room: nowhere }, { a: 'b' })).rejects.toMatchObject(missing);
    await expect(
      admin.sendData({ ...place, room: nowhere }, { topic: 't', bytes: new Uint8Array() }),
    ).rejects.toMatchObject(missing);
    await expect(admin.removeParticipant({ ...place, room: nowhere })).rejects.toMatchObject(missing);
  });

  it('says what is wrong with the key, and shows no token', async () => {
    const secret = new LiveKitAdmin({
      ...server,
      url: server.url,
      apiSecret: 'wrong, but long enough for HS256 keys',
    });
    const refusal = await secret.listRooms().then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    expect(refusal).toMatchObject({ code: 'livekit_unauthorised', retryable: false });
    expect(refusal?.message).toContain('LIVEKIT_API_KEY');
    expect(refusal?.message).toContain('signature, grants or time');
    expect(inspect(refusal, { depth: 10 })).not.toContain('eyJ');
    const key = new LiveKitAdmin({ ...server, url: server.url, apiKey: 'nobody' });
    await expect(key.listRooms()).rejects.toThrow('it does not know this key');
  });

  it('gives up with the reason of its signal', async () => {
    const reason = new Error('enough');
    await expect(admin.listRooms({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const call = admin.listRooms({ signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

describe('the API of a server that does not do its work', () => {
  const afterTest = cleanupsAfterEach();

  const listen = async (respond: Parameters<typeof createServer>[1]): Promise<string> => {
    const server = createServer(respond as never);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterTest(() => {
      server.closeAllConnections();
      server.close();
    });
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('is unreachable where nobody listens, answers, or answers sensibly', async () => {
    const closed = await listen(() => undefined);
    const port = new URL(closed).port;
    const silent = await listen(() => undefined);
    const ill = await listen((_request, response) => response.writeHead(502).end('bad gateway'));
    const busy = await listen((_request, response) => response.writeHead(429).end());
    const nobody = 'ws://127.0.0.1:1';
    expect(port).not.toBe('');
    const failureOf = (url: string): Promise<unknown> =>
      new LiveKitAdmin({ ...KEY, url, deadlineMs: 200 }).listRooms().catch((error: unknown) => error);

    for (const [url, why] of [
      [nobody, /ECONNREFUSED|bad port/],
      [silent, /no answer within 200 ms/],
      [ill, /HTTP status 502/],
      [busy, /HTTP status 429/],
    ] as const) {
      const failure = await failureOf(url);
      expect(failure).toMatchObject({ code: 'livekit_unreachable', retryable: true });
      expect((failure as Error).message).toMatch(why);
      expect((failure as Error).message).toContain(url);
    }
  });

  it('passes on why a request was refused', async () => {
    const url = await listen((_request, response) =>
      response
        .writeHead(400, { 'Content-Type': 'application/json' })
        .end('{"code":"invalid_argument","msg":"no such thing"}'),
    );
    await expect(new LiveKitAdmin({ ...KEY, url }).listRooms()).rejects.toMatchObject({
      code: 'livekit_refused',
      message: 'LiveKit refuses a request (HTTP 400): no such thing',
    });
  });

  it('is asked below the path of LIVEKIT_URL, where there is one', async () => {
    const asked: (string | undefined)[] = [];
    const url = await listen((request, response) => {
      asked.push(request.url);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
    const admin = new LiveKitAdmin({ ...KEY, url: `${url}/livekit/` });
    await admin.listRooms();
    await admin.listDispatches(room);
    expect(asked).toEqual([
      '/livekit/twirp/livekit.RoomService/ListRooms',
      '/livekit/twirp/livekit.AgentDispatchService/ListDispatch',
    ]);
  });

  it('is found where LIVEKIT_URL says, and nowhere else', () => {
    expect(apiAddress('wss://proxy.example/livekit/')).toBe('https://proxy.example/livekit');
    expect(apiAddress('wss://livekit.example')).toBe('https://livekit.example');
    expect(apiAddress('ws://127.0.0.1:7880/')).toBe('http://127.0.0.1:7880');
    expect(apiAddress('https://livekit.example:8443')).toBe('https://livekit.example:8443');
    for (const url of ['', 'livekit.example', 'ftp://livekit.example', 'wss://', 'localhost:7880']) {
      expect(() => new LiveKitAdmin({ ...KEY, url })).toThrow(
        expect.objectContaining({ code: 'livekit_url_invalid' }),
      );
    }
  });
});
