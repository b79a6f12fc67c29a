import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roomName, type RoomName } from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { LiveKitAdmin } from '../livekit-admin.js';
import { createDispatch } from '../participant/create-dispatch.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { joinAsMember } from '../testing/room-member.js';
import { botPlace } from '../tokens.js';
import { captionerIn } from './presence.js';
import { HealingGateway, type HealingGatewayOptions } from './testing/healing-gateway.js';
import { startKillableGateway } from './testing/killed-gateway.js';
import { describeWithRedis, startTestRedis, type TestRedis } from './testing/redis-server.js';
import { disposeSdk } from '../dispose-sdk.js';

const AGENT = 'multi-user-transcriber';

describeWithLiveKit('whether a gateway may caption a room', () => {
  const afterTest = cleanupsAfterEach();
  let server: TestLiveKit;

  beforeAll(async () => {
    server = await startTestLiveKit();
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  const newRoom = (): RoomName => roomName(randomUUID());
  const gateway = (options: Partial<HealingGatewayOptions> = {}): HealingGateway => {
    const created = new HealingGateway({
      server,
      agentName: AGENT,
      watchIntervalMs: 0,
      timing: { confirmMs: 200, spreadMs: 600, relookMs: 500 },
      ...options,
    });
    afterTest(() => created.close());
    return created;
  };
  const captioning = async (each: HealingGateway, room: RoomName): Promise<void> => {
    await each.caption(room);
    await waitUntil(() => (each.isCaptioning(room) ? undefined : 'captioned'));
  };
  const human = async (room: RoomName): Promise<void> => {
    const ana = await joinAsMember(server, { room, identity: 'ana', autoSubscribe: false });
    afterTest(() => ana.disconnect());
  };

  it('is for presence in the room to say where there is no Redis', async () => {
    const room = newRoom();
    const [one, two] = [gateway(), gateway()];
    expect(await two.healing.mayCaption(room)).toBe(true);
    await captioning(one, room);
    expect(await two.healing.mayCaption(room)).toBe(false);
    // It would be our own bot.
    expect(await one.healing.mayCaption(room)).toBe(true);
    expect(await two.healing.mayCaption(newRoom())).toBe(true);
  });

  it('is refused where a captioner that is none of ours is present', async () => {
    const room = newRoom();
    const { identity } = botPlace(AGENT, room);
    const python = await joinAsMember(server, { room, identity, isAgent: true });
    afterTest(() => python.disconnect());
    expect(await gateway().healing.mayCaption(room)).toBe(false);
    // An agent of another kind does not count.
    const other = newRoom();
    const translator = await joinAsMember(server, { room: other, identity: 'translator', isAgent: true });
    afterTest(() => translator.disconnect());
    expect(await gateway().healing.mayCaption(other)).toBe(true);
  });

  it('is granted where nobody can be asked', async () => {
    const nowhere = { ...server, url: 'ws://127.0.0.1:1' };
    expect(await gateway({ server: nowhere }).healing.mayCaption(newRoom())).toBe(true);
  });

  describeWithRedis('with Redis', () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startTestRedis();
    });
    afterAll(() => redis.stop());

    it('is promised to one, before anybody is in the room', async () => {
      const room = newRoom();
      const gateways = Array.from({ length: 4 }, () => gateway({ redisUrl: redis.url }));
      const answers = await Promise.all(gateways.map(({ healing }) => healing.mayCaption(room)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('is not kept from others by one that was refused for another reason', async () => {
      const room = newRoom();
      const { identity } = botPlace(AGENT, room);
      const python = await joinAsMember(server, { room, identity, isAgent: true });
      const [one, two] = [gateway({ redisUrl: redis.url }), gateway({ redisUrl: redis.url })];
      expect(await one.healing.mayCaption(room)).toBe(false);
      await python.disconnect();
      await waitUntil(() => (python.isConnected ? 'left' : undefined));
      const admin = new LiveKitAdmin(server);
      let isGone = false;
      void (async () => {
        while (captionerIn(await admin.listParticipants(room), identity) !== undefined);
        isGone = true;
      })();
      await waitUntil(() => (isGone ? undefined : 'gone from the list'));
      expect(await two.healing.mayCaption(room)).toBe(true);
    });

    it('is free again when the captioner has ended', async () => {
      const room = newRoom();
      const [one, two] = [gateway({ redisUrl: redis.url }), gateway({ redisUrl: redis.url })];
      expect(await one.healing.mayCaption(room)).toBe(true);
      await captioning(one, room);
      expect(await two.healing.mayCaption(room)).toBe(false);
      await one.captioners.captionerOf(room)!.stop({ deadlineMs: 0 });
      let isFree = false;
      void (async () => {
        while (!(await two.healing.mayCaption(room)));
        isFree = true;
      })();
      await waitUntil(() => (isFree ? undefined : 'free'));
    });

    it('lets exactly one of several watchers join each room: nobody is ever superseded', async () => {
      const rooms = Array.from({ length: 4 }, newRoom);
      for (const room of rooms) {
        await human(room);
        await createDispatch(server, { room, agentName: AGENT });
      }
      const gateways = Array.from({ length: 3 }, () =>
        gateway({
          redisUrl: redis.url,
          watchIntervalMs: 200,
          // All at once.
          timing: { confirmMs: 300, spreadMs: 0, relookMs: 500 },
        }),
      );
      const isCaptioned = (room: RoomName): boolean => gateways.some((each) => each.isCaptioning(room));
      await waitUntil(() => (rooms.every(isCaptioned) ? undefined : 'all captioned'));
      expect(gateways.flatMap(({ requests }) => requests)).toHaveLength(rooms.length);
      expect(gateways.flatMap(({ ends }) => ends)).toEqual([]);
    });

    it('passes to another gateway within 10 s when its holder is killed with -9', async () => {
      const room = newRoom();
      await human(room);
      await createDispatch(server, { room, agentName: AGENT });
      const { url, apiKey, apiSecret } = server;
      const access = { url, apiKey, apiSecret, agentName: AGENT };
      const doomed = await startKillableGateway({ ...access, redisUrl: redis.url, rooms: [room] });
      afterTest(() => doomed.kill());
      const survivor = gateway({ redisUrl: redis.url, watchIntervalMs: 2000, timing: {} });
      expect(await survivor.healing.mayCaption(room)).toBe(false);
      await waitUntil(() => (survivor.healing.looks > 0 ? undefined : 'looked'));

      const killedAtMs = performance.now();
      await doomed.kill();
      await waitUntil(() => (survivor.isCaptioning(room) ? undefined : 'captioned again'));
      const replacedAfterMs = performance.now() - killedAtMs;
      process.stderr.write(
        `killed gateway with its lock in Redis replaced after ${Math.round(replacedAfterMs)} ms\n`,
      );
      expect(replacedAfterMs).toBeLessThan(10_000);
    });

    it('is lost by one whose lock another has: its captioner stops', async () => {
      const room = newRoom();
      const one = gateway({ redisUrl: redis.url });
      expect(await one.healing.mayCaption(room)).toBe(true);
      await captioning(one, room);
      await redis.kill();
      await redis.start();
      const two = gateway({ redisUrl: redis.url });
      // The new Redis knows nothing: who asks first has it. The room itself says otherwise to those who ask properly.
      let isTaken = false;
      void (async () => {
        while (!isTaken && one.ends.length === 0) {
          const { createClient } = await import('@redis/client');
          const client = createClient({ url: redis.url });
          await client.connect();
          await client.set(`caption-gateway:captioner:${AGENT}:${room}`, two.instance);
          client.destroy();
          isTaken = true;
        }
      })();
      await waitUntil(() => (one.ends.length > 0 ? undefined : 'stopped'));
      expect(one.ends).toMatchObject([{ room, end: { kind: 'stopped' } }]);
    });
  });
});
