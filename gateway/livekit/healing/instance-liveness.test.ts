import { ParticipantInfo } from '@livekit/protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CaptionError, roomName, type RoomName } from '../../../protocol/index.js';
import { waitUntil } from '../../testing/wait-until.js';
import type { ParticipantPlace } from '../livekit-admin.js';
import { INSTANCE_ATTRIBUTE } from '../tokens.js';
import { InstanceLiveness } from './instance-liveness.js';
import { ANSWER_ATTRIBUTE } from './probe.js';

/** The server's list of bots, and what their gateways do when asked. */
class ScriptedBots {
  readonly bots = new Map<RoomName, { instance: string; answer: string }>();
  readonly asked: RoomName[] = [];
  readonly silent = new Set<string>();
  failure: CaptionError | undefined;
  looks = 0;
  #answers = 0;

  getParticipant({ room }: ParticipantPlace): Promise<ParticipantInfo> {
    this.looks += 1;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const bot = this.bots.get(room);
    if (bot === undefined) return Promise.reject(new CaptionError('livekit_room_missing', 'gone'));
    const attributes = { [INSTANCE_ATTRIBUTE]: bot.instance, [ANSWER_ATTRIBUTE]: bot.answer };
    return Promise.resolve(new ParticipantInfo({ attributes }));
  }

  sendData({ room }: ParticipantPlace): Promise<void> {
    this.asked.push(room);
    const bot = this.bots.get(room);
    if (bot !== undefined && !this.silent.has(bot.instance)) this.answerIn(room);
    return Promise.resolve();
  }

  answerIn(room: RoomName): void {
    this.#answers += 1;
    const bot = this.bots.get(room);
    if (bot !== undefined) bot.answer = String(this.#answers);
  }

  add(room: RoomName, instance: string): void {
    this.bots.set(room, { instance, answer: '' });
  }
}

const [north, south] = [roomName('north'), roomName('south')];

describe('which other gateways live', () => {
  let bots: ScriptedBots;
  let deaths: { instance: string; rooms: readonly RoomName[] }[];
  let liveness: InstanceLiveness;

  beforeEach(() => {
    bots = new ScriptedBots();
    deaths = [];
    liveness = new InstanceLiveness({
      admin: bots,
      agentName: 'captions',
      log: pino({ level: 'silent' }),
      died: (instance, rooms) => void deaths.push({ instance, rooms }),
      timing: { intervalMs: 5 },
    });
  });
  afterEach(() => liveness.close());

  it('asks each gateway, not each room, at one of its bots after the other', async () => {
    for (const room of [north, south]) {
      bots.add(room, 'a');
      liveness.seen(room, 'a');
      liveness.seen(room, 'a');
    }
    await waitUntil(() => (bots.asked.length >= 4 ? undefined : 'asked'));
    expect(bots.asked.slice(0, 4)).toEqual([north, south, north, south]);
    expect(liveness.hasAnswered('a')).toBe(true);
    expect(liveness.isDead('a')).toBe(false);
    expect(liveness.lastAliveMs('a')).toBeLessThanOrEqual(Date.now());
  });

  it('holds one for dead after two silences, says in which rooms, and only once', async () => {
    for (const room of [north, south]) bots.add(room, 'a');
    bots.silent.add('a');
    const beforeMs = Date.now();
    liveness.seen(north, 'a');
    liveness.seen(south, 'a');
    await waitUntil(() => (deaths.length > 0 ? undefined : 'dead'));
    expect(deaths).toEqual([{ instance: 'a', rooms: [north, south] }]);
    expect(bots.asked).toEqual([north, south]);
    expect(liveness.isDead('a')).toBe(true);
    expect(liveness.hasAnswered('a')).toBe(false);
    // It never answered: it was there when it was seen first.
    expect(liveness.lastAliveMs('a')).toBeGreaterThanOrEqual(beforeMs);

    bots.silent.clear();
    await waitUntil(() => (liveness.isDead('a') ? 'alive again' : undefined));
    expect(deaths).toHaveLength(1);
  });

  it('counts silences in a row only', async () => {
    bots.add(north, 'a');
    bots.silent.add('a');
    liveness.seen(north, 'a');
    await waitUntil(() => (bots.asked.length === 2 ? undefined : 'asked again after a silence'));
    bots.answerIn(north);
    bots.silent.clear();
    await waitUntil(() => (liveness.hasAnswered('a') ? undefined : 'answered'));
    expect(deaths).toEqual([]);
  });

  it('takes the answer to somebody else’s question for a sign of life', async () => {
    bots.add(north, 'a');
    bots.silent.add('a');
    liveness.seen(north, 'a');
    await waitUntil(() => (bots.asked.length === 1 ? undefined : 'asked'));
    bots.answerIn(north);
    await waitUntil(() => (liveness.hasAnswered('a') ? undefined : 'alive'));
    expect(deaths).toEqual([]);
  });

  it('says nothing about gateways while the server cannot be asked', async () => {
    bots.failure = new CaptionError('livekit_unreachable', 'away', { retryable: true });
    bots.add(north, 'a');
    liveness.seen(north, 'a');
    await waitUntil(() => (bots.looks >= 5 ? undefined : 'tried again and again'));
    expect(bots.asked).toEqual([]);
    expect(deaths).toEqual([]);
    bots.failure = undefined;
    await waitUntil(() => (liveness.hasAnswered('a') ? undefined : 'asked in the end'));
  });

  it('asks elsewhere when a bot is gone or another one’s, and forgets a gateway without bots', async () => {
    bots.add(north, 'b');
    bots.add(south, 'a');
    liveness.seen(north, 'a');
    liveness.seen(south, 'a');
    await waitUntil(() => (liveness.hasAnswered('a') ? undefined : 'answered'));
    expect(bots.asked).not.toContain(north);
    bots.bots.delete(south);
    await waitUntil(() => (liveness.hasAnswered('a') ? 'forgotten' : undefined));
    expect(liveness.lastAliveMs('a')).toBeUndefined();
    expect(deaths).toEqual([]);
  });

  it('asks nobody any more when no room is another gateway’s, and after it was closed', async () => {
    bots.add(north, 'a');
    liveness.seen(north, 'a');
    await waitUntil(() => (liveness.hasAnswered('a') ? undefined : 'answered'));
    liveness.seen(north, undefined);
    await waitUntil(() => (liveness.hasAnswered('a') ? 'forgotten' : undefined));
    liveness.close();
    liveness.close();
    const { length } = bots.asked;
    liveness.seen(south, 'a');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(bots.asked).toHaveLength(length);
  });
});
