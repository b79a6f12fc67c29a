import { beforeAll, expect, it } from 'vitest';
import { describeWithModel } from '../../asr/testing/real-model.js';
import type { Meeting } from '../meeting/meeting.js';
import { loadShortMeeting } from '../testing/short-meeting.js';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.js';
import { type DemoResult, runDemo } from './run-demo.js';

/** Faster than people talk, so that the tests are; slower than recognition, so that there is a middle of a sentence. */
const SPEED = 3;

/** A small seeded generator (mulberry32), so that a failure can be had again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describeWithModel('a meeting through the gateway', (model) => {
  let meeting: Meeting;
  beforeAll(async () => {
    meeting = await loadShortMeeting();
  });

  const play = (gateway: TestGateway, shown: () => void = () => undefined): Promise<DemoResult> =>
    runDemo({ gateway, meeting, speed: SPEED, shown, signal: new AbortController().signal });

  it('shows every speaker what the same pipeline gives undisturbed', async () => {
    const gateway = await startTestGateway(model);
    try {
      const result = await play(gateway);
      expect(result).toMatchObject({
        lostWords: 0,
        duplicatedWords: 0,
        changedWords: 0,
        resyncs: 0,
        statuses: [],
      });
      expect(result.model).toBe(model.id);
      expect(result.seconds).toBeCloseTo(meeting.durationMs / 1000, 3);
      expect(result.speakers.map(({ identity }) => identity)).toEqual(
        meeting.tracks.map(({ identity }) => identity),
      );
      for (const { words, wer, wordLatencyMs } of result.speakers) {
        expect(words).toBeGreaterThan(0);
        expect(wer).toBeLessThan(0.5);
        expect(wordLatencyMs.count).toBeGreaterThan(0);
        expect(wordLatencyMs.p50).toBeLessThanOrEqual(wordLatencyMs.p95 ?? 0);
      }
      expect(result.wordLatencyMs.count).toBe(
        result.speakers.reduce((sum, { wordLatencyMs }) => sum + wordLatencyMs.count, 0),
      );
    } finally {
      await gateway.close();
    }
  });

  it.each([11, 12, 13])(
    'loses and doubles no word when recogniser children are killed at random moments (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const gateway = await startTestGateway(model, { settings: { CAPTION_RECOGNISERS: 1 + (seed % 2) } });
      const timers: NodeJS.Timeout[] = [];
      let kills = 0;
      const killSoon = (): void => {
        const pids = gateway.engine.childPids;
        const pid = pids[Math.floor(random() * pids.length)];
        if (pid === undefined) return;
        process.kill(pid, 'SIGKILL');
        kills += 1;
      };
      try {
        // Two moments within the first 80 % of the meeting; the first words must be there.
        const durationMs = meeting.durationMs / SPEED;
        const result = await play(gateway, () => {
          if (timers.length > 0) return;
          timers.push(setTimeout(killSoon, random() * durationMs * 0.35));
          timers.push(setTimeout(killSoon, durationMs * (0.35 + random() * 0.35)));
        });
        expect(kills).toBeGreaterThan(0);
        expect(result).toMatchObject({ lostWords: 0, duplicatedWords: 0, changedWords: 0 });
        expect(result.statuses).toContain('degraded');
        // The last kill may come so late that the meeting is over before the child is back.
        await expect.poll(() => gateway.engine.health.state, { timeout: 20_000 }).toBe('live');
      } finally {
        timers.forEach((timer) => clearTimeout(timer));
        await gateway.close();
      }
    },
  );

  it('can be interrupted', async () => {
    const gateway = await startTestGateway(model);
    const interruption = new AbortController();
    const shown = (): void => interruption.abort(new Error('enough'));
    await expect(
      runDemo({ gateway, meeting, speed: SPEED, shown, signal: interruption.signal }),
    ).rejects.toThrow('enough');
    await gateway.close();
  });
});
