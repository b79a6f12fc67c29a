import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioPace } from './audio-pace.js';
import { KeptByClient } from './kept-by-client.js';
import { RateLimit } from './rate-limit.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

async function collectGarbage(): Promise<void> {
  // What a weak reference led to is kept until the present task is over.
  await setImmediate();
  gc();
}

describe('a rate limit', () => {
  it('lets never more pass than the burst and the rate allow, and all that they do', () => {
    const step = fc.record({ waitMs: fc.nat({ max: 3000 }), wanted: fc.integer({ min: 1, max: 30 }) });
    const allowances = fc.record({
      burst: fc.integer({ min: 1, max: 50 }),
      perSecond: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(allowances, fc.array(step, { maxLength: 50 }), (allowance, steps) => {
        let nowMs = 0;
        const limit = new RateLimit(allowance, () => nowMs);
        let passed = 0;
        for (const { waitMs, wanted } of steps) {
          nowMs += waitMs;
          for (let index = 0; index < wanted; index++) if (limit.tryTake()) passed += 1;
          expect(passed).toBeLessThanOrEqual(allowance.burst + (nowMs / 1000) * allowance.perSecond + 1e-6);
        }
        nowMs += 1000 * (1 + allowance.burst);
        for (let index = 0; index < allowance.burst; index++) expect(limit.tryTake()).toBe(true);
        expect(limit.tryTake()).toBe(false);
      }),
    );
  });

  it('takes nothing where more is wanted than is left', () => {
    const limit = new RateLimit({ burst: 10, perSecond: 1 }, () => 0);
    expect(limit.tryTake(11)).toBe(false);
    expect(limit.tryTake(10)).toBe(true);
  });
});

describe('limits that are kept', () => {
  it('are the same for a client however often it comes, and another for everybody else', () => {
    const limits = new KeptByClient(() => new RateLimit({ burst: 1, perSecond: 1 }, () => 0));
    expect(limits.of('ana').tryTake()).toBe(true);
    expect(limits.of('ana').tryTake()).toBe(false);
    expect(limits.of('bob').tryTake()).toBe(true);
    expect(limits.of(undefined).tryTake()).toBe(true);
    expect(limits.of(undefined).tryTake()).toBe(true);
    limits.close();
  });

  it('are the same as long as a connection has them, however long it rests', async () => {
    let nowMs = 0;
    const limits = new KeptByClient(() => new RateLimit({ burst: 1, perSecond: 1 }, () => nowMs));
    const ofFirstConnection = limits.of('ana');
    for (let round = 0; round < 3; round++) {
      nowMs += 60_000;
      limits.forgetThoseAtRest();
      await collectGarbage();
      expect(limits.of('ana')).toBe(ofFirstConnection);
    }
    limits.close();
  });

  it('are forgotten when they are at rest, and not before', async () => {
    let nowMs = 0;
    const limits = new KeptByClient(() => new RateLimit({ burst: 1, perSecond: 1 }, () => nowMs));
    limits.of('ana').tryTake();
    limits.forgetThoseAtRest();
    await collectGarbage();
    expect(limits.of('ana').tryTake()).toBe(false);
    nowMs = 2000;
    limits.forgetThoseAtRest();
    await collectGarbage();
    limits.forgetThoseAtRest();
    expect(limits.size).toBe(0);
    limits.close();
  });
});

describe('the pace of one speaker', () => {
  const MAX_AHEAD_MS = 20_000;
  const sends = (pace: AudioPace, ms: number): boolean => {
    try {
      pace.take(ms);
      return true;
    } catch {
      return false;
    }
  };

  it('is not begun anew by dropping the connection', () => {
    let nowMs = 0;
    const pace = new AudioPace({ maxAheadMs: MAX_AHEAD_MS, now: () => nowMs });
    expect(sends(pace, MAX_AHEAD_MS)).toBe(true);
    nowMs += 1000;
    pace.allowMissed(1000);
    expect(sends(pace, 1000)).toBe(true);
    expect(sends(pace, 40)).toBe(false);
  });

  it('never lets more audio pass than time has passed, and what it may be ahead', () => {
    const event = fc.record({
      waitMs: fc.nat({ max: 5000 }),
      audioMs: fc.nat({ max: 10_000 }),
      drops: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let nowMs = 0;
        let passedMs = 0;
        const pace = new AudioPace({ maxAheadMs: MAX_AHEAD_MS, now: () => nowMs });
        for (const { waitMs, audioMs, drops } of events) {
          nowMs += waitMs;
          if (drops) pace.allowMissed(waitMs);
          if (sends(pace, audioMs)) passedMs += audioMs;
          expect(passedMs).toBeLessThanOrEqual(nowMs + MAX_AHEAD_MS);
        }
      }),
    );
  });
});
