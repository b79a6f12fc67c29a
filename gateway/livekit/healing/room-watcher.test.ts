import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roomName, type RoomName } from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitFor, waitUntil } from '../../testing/wait-until.js';
import { LiveKitAdmin } from '../livekit-admin.js';
import { createDispatch } from '../participant/create-dispatch.js';
import { describeWithLiveKit, startTestLiveKit, type TestLiveKit } from '../testing/livekit-server.js';
import { joinAsMember } from '../testing/room-member.js';
import { botPlace, INSTANCE_ATTRIBUTE } from '../tokens.js';
import { captionerIn, type CaptionerPresence } from './presence.js';
import { ANSWER_ATTRIBUTE } from './probe.js';
import { DEFAULT_WATCHER_TIMING } from './room-watcher.js';
import { HealingGateway, type HealingGatewayOptions } from './testing/healing-gateway.js';
import { startKillableGateway } from './testing/killed-gateway.js';
import { disposeSdk } from '../dispose-sdk.js';

const AGENT = 'multi-user-transcriber';
/** What counts as long for something that must not happen: several looks at all rooms. */
const LOOKS = 8;

describeWithLiveKit('watching the rooms of a livekit-server', () => {
  const afterTest = cleanupsAfterEach();
  let server: TestLiveKit;
  let admin: LiveKitAdmin;

  beforeAll(async () => {
    server = await startTestLiveKit({ departureTimeoutS: 20 });
    admin = new LiveKitAdmin(server);
  });
  afterAll(async () => {
    await server.stop();
    await disposeSdk();
  });

  const newRoom = (): RoomName => roomName(randomUUID());

  const human = async (room: RoomName, identity = 'ana'): Promise<void> => {
    const member = await joinAsMember(server, { room, identity, autoSubscribe: false });
    afterTest(() => member.disconnect());
  };

  const dispatch = (room: RoomName, metadata = ''): Promise<void> =>
    createDispatch(server, { room, agentName: AGENT, metadata });

  const gateway = (options: Partial<HealingGatewayOptions> = {}): HealingGateway => {
    const created = new HealingGateway({
      server,
      agentName: AGENT,
      watchIntervalMs: 300,
      timing: { confirmMs: 300, spreadMs: 600, relookMs: 600 },
      ...options,
    });
    afterTest(() => created.close());
    return created;
  };

  const captionerOf = async (room: RoomName): Promise<CaptionerPresence | undefined> =>
    captionerIn(await admin.listParticipants(room), botPlace(AGENT, room).identity);

  /** Until all rooms have been looked at often enough for something to have happened. */
  const looks = async (...watching: HealingGateway[]): Promise<void> => {
    const until = watching.map(({ healing }) => healing.looks + LOOKS);
    await waitUntil(() =>
      watching.every(({ healing }, index) => healing.looks >= until[index]!)
        ? undefined
        : 'rooms are looked at',
    );
  };

  it('finds a room that was dispatched while no gateway was there', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room, '{"language":"fr"}');

    const late = gateway();

    const request = await waitFor('the room is captioned', () => late.requests[0]);
    expect(request).toMatchObject({ room, dispatchMetadata: '{"language":"fr"}', url: server.url });
    expect(request.dispatchId).toMatch(/^AD_/);
    // Nobody had captioned it before: nothing is missing.
    expect(request.missedSinceMs).toBeUndefined();
    await waitUntil(() => (late.isCaptioning(room) ? undefined : 'in the room'));
    expect(late.healed).toEqual(['captioner_absent']);
    expect(await captionerOf(room)).toMatchObject({ instance: late.instance });
  });

  it('leaves rooms alone that have no dispatch, another agent’s, or nobody in them', async () => {
    const [plain, other, empty] = [newRoom(), newRoom(), newRoom()];
    await human(plain);
    await human(other);
    await createDispatch(server, { room: other, agentName: 'translator' });
    await dispatch(empty);

    const watching = gateway();
    await looks(watching);

    expect(watching.requests).toEqual([]);
  });

  it('comes when the first person does', async () => {
    const room = newRoom();
    await dispatch(room);
    const watching = gateway();
    await looks(watching);
    expect(watching.captioners.captionerOf(room)).toBeUndefined();

    await human(room);

    await waitUntil(() => (watching.isCaptioning(room) ? undefined : 'captioned'));
  });

  it('replaces a captioner that went away, and knows since when nobody captioned', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    const first = gateway({ watchIntervalMs: 0 });
    await first.caption(room);
    await waitUntil(() => (first.isCaptioning(room) ? undefined : 'captioned'));
    const second = gateway();
    await waitUntil(() => (second.healing.liveness.hasAnswered(first.instance) ? undefined : 'known alive'));
    const beforeMs = Date.now();

    await first.close();

    const request = await waitFor('the room is captioned again', () => second.requests[0]);
    expect(request.room).toBe(room);
    expect(second.healed).toEqual(['captioner_absent']);
    // Looked at every 0.6 s: it was there shortly before.
    expect(request.missedSinceMs).toBeGreaterThan(beforeMs - 5000);
    expect(request.missedSinceMs).toBeLessThanOrEqual(Date.now());
  });

  it('leaves a room alone whose captioner belongs to a living gateway', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    const first = gateway();
    await waitUntil(() => (first.isCaptioning(room) ? undefined : 'captioned'));

    const second = gateway({ livenessTiming: { intervalMs: 100 } });
    await waitUntil(() =>
      second.healing.liveness.hasAnswered(first.instance) ? undefined : 'the other answers',
    );
    await looks(second);

    expect(second.requests).toEqual([]);
    expect(first.ends).toEqual([]);
    const { attributes } = (await captionerOf(room))!;
    expect(attributes[ANSWER_ATTRIBUTE]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('replaces a gateway that was killed with -9, within 10 s, in all of its rooms', async () => {
    const rooms = Array.from({ length: 5 }, newRoom);
    for (const room of rooms) {
      await human(room);
      await dispatch(room);
    }
    const doomed = await startKillableGateway({
      url: server.url,
      apiKey: server.apiKey,
      apiSecret: server.apiSecret,
      agentName: AGENT,
      redisUrl: '',
      rooms,
    });
    afterTest(() => doomed.kill());
    const { instance } = (await captionerOf(rooms[0]!))!;
    // As in production: nothing is shortened.
    const survivors = [0, 1].map(() => gateway({ watchIntervalMs: 2000, timing: {}, livenessTiming: {} }));
    for (const survivor of survivors)
      await waitUntil(() => (survivor.healing.liveness.hasAnswered(instance!) ? undefined : 'known alive'));
    // Each knows it from its own questions.
    const aliveMs = Math.min(...survivors.map(({ healing }) => healing.liveness.lastAliveMs(instance!)!));

    const killedAtMs = performance.now();
    await doomed.kill();

    const missing = (): RoomName | undefined =>
      rooms.find((room) => !survivors.some((survivor) => survivor.isCaptioning(room)));
    await waitUntil(() => (missing() === undefined ? undefined : 'all rooms are captioned again'));
    const replacedAfterMs = performance.now() - killedAtMs;
    process.stderr.write(`killed gateway replaced after ${Math.round(replacedAfterMs)} ms\n`);
    // A promise of the project, not a matter of speed: LiveKit itself would need 20 s.
    expect(replacedAfterMs).toBeLessThan(10_000);
    const requests = survivors.flatMap(({ requests: all }) => all);
    for (const { missedSinceMs } of requests) {
      expect(missedSinceMs).toBeGreaterThanOrEqual(aliveMs);
      expect(missedSinceMs).toBeLessThan(Date.now());
    }
    for (const room of rooms) {
      const present = await captionerOf(room);
      expect(survivors.map((survivor) => survivor.instance)).toContain(present?.instance);
    }
  });

  it('does not mistake a gateway that was slow for a while for a dead one that must be fought', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    const frozen = await startKillableGateway({
      url: server.url,
      apiKey: server.apiKey,
      apiSecret: server.apiSecret,
      agentName: AGENT,
      redisUrl: '',
      rooms: [room],
    });
    afterTest(() => frozen.kill());
    const survivor = gateway({ livenessTiming: { intervalMs: 100 } });
    const { instance } = (await captionerOf(room))!;
    await waitUntil(() => (survivor.healing.liveness.hasAnswered(instance!) ? undefined : 'known alive'));

    frozen.freeze();
    await waitUntil(() => (survivor.isCaptioning(room) ? undefined : 'the room is taken over'));
    frozen.thaw();
    await looks(survivor);

    expect(survivor.ends).toEqual([]);
    expect((await captionerOf(room))?.instance).toBe(survivor.instance);
  });

  it('sends one captioner when several gateways find a room at once', async () => {
    const rooms = Array.from({ length: 6 }, newRoom);
    for (const room of rooms) {
      await human(room);
      await dispatch(room);
    }

    const gateways = [0, 1, 2].map(() => gateway({ watchIntervalMs: 200 }));

    const captioning = (room: RoomName): HealingGateway[] =>
      gateways.filter((each) => each.isCaptioning(room));
    await waitUntil(() => (rooms.every((room) => captioning(room).length > 0) ? undefined : 'all captioned'));
    // Those who met in a room have settled who stays.
    await looks(...gateways);
    for (const room of rooms) {
      expect(captioning(room)).toHaveLength(1);
      expect((await captionerOf(room))?.instance).toBe(captioning(room)[0]?.instance);
    }
    const ends = gateways.flatMap((each) => each.ends.map(({ end }) => end.kind));
    expect(ends.every((kind) => kind === 'superseded')).toBe(true);
    // All three may be on their way before the first is seen there. But nobody comes back to fight.
    for (const each of gateways) {
      const joined = each.requests.map(({ room }) => room).filter((room) => rooms.includes(room));
      expect(joined).toEqual([...new Set(joined)]);
    }
  });

  it('leaves a room alone when its captioner is none of ours, such as La Suite Meet’s agent', async () => {
    const room = newRoom();
    await human(room);
    const { identity } = botPlace(AGENT, room);
    const python = await joinAsMember(server, { room, identity, isAgent: true, autoSubscribe: false });
    afterTest(() => python.disconnect());
    await dispatch(room);

    const watching = gateway();
    await looks(watching);
    expect(watching.requests).toEqual([]);
    expect((await captionerOf(room))?.instance).toBeUndefined();

    await python.disconnect();
    await waitUntil(() => (watching.isCaptioning(room) ? undefined : 'captioned when that one is gone'));
  });

  it('does not come back to a room from which it was removed before the next dispatch, nor do others', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    // As in production: who was removed has so long to take the dispatch back before others join.
    const { confirmMs } = DEFAULT_WATCHER_TIMING;
    const patient = { timing: { confirmMs, spreadMs: 600, relookMs: 600 } };
    const gateways = [gateway(patient), gateway(patient)];
    await waitUntil(() => (gateways.some((each) => each.isCaptioning(room)) ? undefined : 'captioned'));
    // The other one may be on its way; who of them stays is settled then.
    await looks(...gateways);
    const captioning = await waitFor('captioned', () => gateways.find((each) => each.isCaptioning(room)));

    await admin.removeParticipant(botPlace(AGENT, room));
    await waitUntil(() => (captioning.isCaptioning(room) ? 'the captioner leaves' : undefined));
    await waitUntil(() => (captioning.ends.at(-1)?.end.kind === 'removed' ? undefined : 'it was removed'));
    // Longer than another one would wait before it joins.
    for (let times = 0; times < 2; times += 1) await looks(...gateways);
    for (const each of gateways) expect(each.captioners.captionerOf(room)).toBeUndefined();
    expect(await captionerOf(room)).toBeUndefined();

    await dispatch(room);
    await waitUntil(() =>
      gateways.some((each) => each.isCaptioning(room)) ? undefined : 'captioned after a new dispatch',
    );
  });

  it('takes the dispatch back at once when it is removed, not when its last words are finished', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    let finish = (): void => undefined;
    const lastWords = new Promise<void>((resolve) => (finish = resolve));
    const watching = gateway({ lastWords, watchIntervalMs: 100, timing: { confirmMs: 0, spreadMs: 0 } });
    afterTest(() => finish());
    await waitUntil(() => (watching.isCaptioning(room) ? undefined : 'captioned'));

    await admin.removeParticipant(botPlace(AGENT, room));

    // The server makes one without a name for every room.
    const named = async (): Promise<string[]> =>
      (await admin.listDispatches(room)).map(({ agentName }) => agentName).filter((name) => name !== '');
    await expect.poll(named, { timeout: 20_000 }).toEqual([]);
    expect(watching.captioners.captionerOf(room)).toBeDefined();
    finish();
    await waitUntil(() => (watching.ends.length === 1 ? undefined : 'it has ended'));
  });

  it('honours another dispatch when the one it had answered is deleted', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room, 'first');
    await dispatch(room, 'second');
    const watching = gateway({ watchIntervalMs: 100, timing: { confirmMs: 0, spreadMs: 0 } });
    const request = await waitFor('captioned', () => watching.requests[0]);
    expect(request.dispatchMetadata).toBe('second');
    await waitUntil(() => (watching.isCaptioning(room) ? undefined : 'in the room'));

    await admin.deleteDispatch({ room, id: request.dispatchId! });
    await admin.removeParticipant(botPlace(AGENT, room));

    const again = await waitFor('captioned again', () => watching.requests[1]);
    expect(again).toMatchObject({ dispatchMetadata: 'first' });
  });

  it('does not fight one who took its room over, though that one does not answer', async () => {
    const room = newRoom();
    await human(room);
    await dispatch(room);
    const earlier = gateway({ livenessTiming: { intervalMs: 50 } });
    await waitUntil(() => (earlier.isCaptioning(room) ? undefined : 'captioned'));
    const deaf = gateway({ watchIntervalMs: 0, answersProbes: false });

    await deaf.caption(room);
    await waitUntil(() => (earlier.ends.length > 0 ? undefined : 'superseded'));
    expect(earlier.ends[0]?.end.kind).toBe('superseded');
    await waitUntil(() => (earlier.healing.liveness.isDead(deaf.instance) ? undefined : 'held for dead'));
    await looks(earlier);

    expect(deaf.isCaptioning(room)).toBe(true);
    expect(deaf.ends).toEqual([]);
  });

  it('is calm while the server is away, and goes on when it is back', async () => {
    const away = await startTestLiveKit();
    afterTest(() => away.stop());
    const lines: { msg: string; code?: string }[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as never) });
    const watching = gateway({ server: away, watchIntervalMs: 30, log });
    const troubles = (): typeof lines => lines.filter(({ msg }) => msg.includes('cannot be looked for'));

    await away.kill();
    await waitUntil(() => (troubles().length > 0 ? undefined : 'the trouble is told'));
    expect(troubles()).toMatchObject([{ code: 'livekit_unreachable' }]);
    await away.restart();
    await waitUntil(() =>
      lines.some(({ msg }) => msg.includes('looked for again')) ? undefined : 'the end of it is told',
    );
    expect(troubles()).toHaveLength(1);

    const room = newRoom();
    const member = await joinAsMember(away, { room, identity: 'ana', autoSubscribe: false });
    afterTest(() => member.disconnect());
    await createDispatch(away, { room, agentName: AGENT });
    await waitUntil(() => (watching.isCaptioning(room) ? undefined : 'captioned'));
  });

  it('says once that its key is wrong', async () => {
    const lines: { msg: string; code?: string; error?: string }[] = [];
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as never) });
    const wrong = { ...server, url: server.url, apiSecret: 'another secret, of 32 characters at least' };
    gateway({ server: wrong, watchIntervalMs: 20, log });

    await waitUntil(() => (lines.length > 0 ? undefined : 'told'));
    await looks(gateway());
    expect(lines).toMatchObject([{ code: 'livekit_unauthorised' }]);
    expect(JSON.stringify(lines)).not.toContain('eyJ');
  });

  it('marks its bots, and needs no more than roomAdmin for it', async () => {
    const room = newRoom();
    await human(room);
    const one = gateway({ watchIntervalMs: 0 });
    await one.caption(room);
    await waitUntil(() => (one.isCaptioning(room) ? undefined : 'captioned'));
    const bot = await admin.getParticipant(botPlace(AGENT, room));
    expect(bot.attributes[INSTANCE_ATTRIBUTE]).toBe(one.instance);
    expect(bot.permission).toMatchObject({ hidden: true, canPublish: false, canPublishData: true });
    await admin.setAttributes(botPlace(AGENT, room), { [ANSWER_ATTRIBUTE]: 'now' });
    const changed = await captionerOf(room);
    expect(changed?.attributes[ANSWER_ATTRIBUTE]).toBe('now');
  });
});
