import { createClient } from '@redis/client';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { roomName, type RoomName } from '../../../protocol/index.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { RedisCaptionerLock } from './captioner-lock.js';
import { describeWithRedis, startTestRedis, type TestRedis } from './testing/redis-server.js';

const room = roomName('council');
const silent = pino({ level: 'silent' });

describeWithRedis('locks of rooms in Redis', () => {
  const afterTest = cleanupsAfterEach();
  let redis: TestRedis;
  let instances = 0;
  let agentName: string;

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(() => {
    instances += 1;
    agentName = `captions-${instances}`;
  });

  interface Gateway {
    readonly lock: RedisCaptionerLock;
    readonly captioned: Set<RoomName>;
    readonly lost: RoomName[];
    readonly lines: { msg: string; error?: string }[];
  }

  const gateway = (url = redis.url): Gateway => {
    const captioned = new Set<RoomName>();
    const lost: RoomName[] = [];
    const lines: Gateway['lines'] = [];
    instances += 1;
    const lock = new RedisCaptionerLock({
      url,
      agentName,
      instance: `instance-${instances}`,
      isCaptioned: (name) => captioned.has(name),
      lost: (name) => void lost.push(name),
      log: pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line) as never) }),
    });
    afterTest(() => lock.close());
    return { lock, captioned, lost, lines };
  };

  /** What Redis holds, looked at again and again. */
  const keys = new Map<string, number>();
  beforeAll(async () => {
    const client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    await client.connect();
    let isOver = false;
    const look = async (): Promise<void> => {
      while (!isOver) {
        const found = await client.keys('*').catch(() => undefined);
        const ttls = await Promise.all((found ?? []).map((key) => client.pTTL(key).catch(() => -2)));
        if (found !== undefined) {
          keys.clear();
          found.forEach((key, index) => keys.set(key, ttls[index] ?? -2));
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const looking = look();
    return async () => {
      isOver = true;
      await looking;
      client.destroy();
    };
  });
  const key = (): string => `caption-gateway:captioner:${agentName}:${room}`;

  it('have one holder, who may take them again', async () => {
    const [one, two] = [gateway(), gateway()];
    expect(await one.lock.acquire(room)).toBe(true);
    expect(await one.lock.acquire(room)).toBe(true);
    expect(await two.lock.acquire(room)).toBe(false);
    expect(await two.lock.acquire(roomName('other'))).toBe(true);
  });

  it('go to one of many who ask at once', async () => {
    const gateways = Array.from({ length: 5 }, () => gateway());
    const answers = await Promise.all(gateways.map(({ lock }) => lock.acquire(room)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  it('can be given back, by their holder only', async () => {
    const [one, two] = [gateway(), gateway()];
    await one.lock.acquire(room);
    two.lock.release(room);
    expect(await two.lock.acquire(room)).toBe(false);
    one.lock.release(room);
    one.lock.release(room);
    await waitUntil(() => (keys.has(key()) ? 'given back' : undefined));
    expect(await two.lock.acquire(room)).toBe(true);
  });

  it('are given back at the end', async () => {
    const one = gateway();
    await one.lock.acquire(room);
    await one.lock.close();
    await one.lock.close();
    expect(await one.lock.acquire(room)).toBe(false);
    await waitUntil(() => (keys.has(key()) ? 'given back' : undefined));
  });

  it('last 5 s, are renewed while the room is captioned, and given back afterwards', async () => {
    const one = gateway();
    await one.lock.acquire(room);
    one.captioned.add(room);
    await waitUntil(() => ((keys.get(key()) ?? 0) > 0 ? undefined : 'held'));
    expect(keys.get(key())).toBeLessThanOrEqual(5000);
    await waitUntil(() => (keys.get(key())! < 4000 ? undefined : 'running out'));
    await waitUntil(() => (keys.get(key())! > 4500 ? undefined : 'renewed'));
    one.captioned.delete(room);
    await waitUntil(() => (keys.has(key()) ? 'given back' : undefined));
    expect(one.lost).toEqual([]);
  });

  it('tell their holder when another one has them', async () => {
    const one = gateway();
    await one.lock.acquire(room);
    one.captioned.add(room);
    const client = createClient({ url: redis.url });
    await client.connect();
    await client.set(key(), 'somebody-else');
    await waitUntil(() => (one.lost.length > 0 ? undefined : 'told'));
    expect(one.lost).toEqual([room]);
    // It is the other one's, and stays so.
    one.lock.release(room);
    expect(await client.get(key())).toBe('somebody-else');
    await client.del(key());
    client.destroy();
  });

  it('refuse nothing while Redis is away, tell it once, and hold again when it is back', async () => {
    const one = gateway();
    await one.lock.acquire(room);
    one.captioned.add(room);

    await redis.kill();
    expect(await one.lock.acquire(roomName('other'))).toBe(true);
    expect(await one.lock.acquire(room)).toBe(true);
    await waitUntil(() => (one.lines.length > 0 ? undefined : 'told'));
    await redis.start();

    await waitUntil(() => (keys.has(key()) ? undefined : 'held again'));
    await waitUntil(() => (one.lines.length > 1 ? undefined : 'told that it is back'));
    expect(one.lines.map(({ msg }) => msg)).toEqual([
      'Redis does not answer: presence in the room decides who captions it',
      'Redis answers again',
    ]);
    expect(one.lost).toEqual([]);
    const two = gateway();
    expect(await two.lock.acquire(room)).toBe(false);
  });

  it('do not keep anybody waiting for a Redis that is silent', async () => {
    const one = gateway();
    redis.freeze();
    try {
      expect(await one.lock.acquire(room)).toBe(true);
      expect(one.lines).toMatchObject([{ error: 'no answer within 400 ms' }]);
    } finally {
      redis.thaw();
    }
    await waitUntil(() => (one.lines.length > 1 ? undefined : 'back'));
  });

  it('are not needed where there is no Redis at all', async () => {
    const nowhere = gateway('redis://127.0.0.1:1');
    expect(await nowhere.lock.acquire(room)).toBe(true);
    await waitUntil(() => (nowhere.lines.length > 0 ? undefined : 'told'));
    await nowhere.lock.close();
    expect(nowhere.lines).toHaveLength(1);
  });
});

describe('the address of Redis', () => {
  it.each(['', 'redis', 'http://redis.example', 'redis://:secret@redis.example:notaport'])(
    'is refused when it is %o, without repeating a password',
    (url) => {
      const create = (): unknown =>
        new RedisCaptionerLock({
          url,
          agentName: 'captions',
          instance: 'one',
          isCaptioned: () => false,
          lost: () => undefined,
          log: silent,
        });
      expect(create).toThrow(expect.objectContaining({ code: 'config_invalid' }));
      expect(create).not.toThrow('secret');
    },
  );
});
