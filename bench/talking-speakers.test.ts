import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scheduleClips, type LoadedClip } from './clip-schedule.js';
import {
  type Interval,
  meanConcurrency,
  meanTalking,
  scheduleTalking,
  speechIntervals,
  talkingPerCore,
} from './talking-speakers.js';

const clip = (durationMs: number, speech: LoadedClip['speech']): LoadedClip => ({
  id: `${durationMs}`,
  path: 'a.wav',
  text: 'a',
  words: [],
  speech,
  isHandLabelled: false,
  pcm: new Int16Array(durationMs * 16),
});

const interval = fc
  .tuple(fc.integer({ min: -200, max: 1200 }), fc.nat(600))
  .map(([startMs, lengthMs]): Interval => ({ startMs, endMs: startMs + lengthMs }));

describe('how many people talk', () => {
  it('is the mean over time of how many intervals hold each millisecond', () => {
    fc.assert(
      fc.property(
        fc.array(interval, { maxLength: 8 }),
        fc.integer({ min: 1, max: 1000 }),
        (intervals, endMs) => {
          let held = 0;
          for (let ms = 0; ms < endMs; ms += 1)
            held += intervals.filter(({ startMs, endMs: end }) => startMs <= ms && ms < end).length;
          expect(meanConcurrency(intervals, { startMs: 0, endMs })).toBeCloseTo(held / endMs, 9);
        },
      ),
    );
    expect(meanConcurrency([{ startMs: 0, endMs: 1 }], { startMs: 5, endMs: 5 })).toBe(0);
  });

  it('counts speech, not connections: pauses, silence around speech and those who have finished are left out', () => {
    const talker = clip(4000, { startMs: 1000, endMs: 3000 });
    const twice = scheduleClips([talker], { first: 0, seconds: 10 });
    expect(speechIntervals(twice)).toEqual([
      { startMs: 1000, endMs: 3000 },
      { startMs: 6000, endMs: 8000 },
    ]);
    const once = scheduleClips([talker], { first: 0, seconds: 4 });
    // 4 s and 2 s of speech; the longer of the two lasts 10 s with its last pause.
    expect(meanTalking([twice, once])).toBeCloseTo(0.6);
    expect(meanTalking([twice, once], 2000)).toBeCloseTo(0.5);
    expect(meanTalking([scheduleClips([clip(1000, null)], { first: 0, seconds: 1 })])).toBeCloseTo(0.5);
  });

  it('is as many as a search asks for, with as few people as that takes', () => {
    const clips = [
      clip(3000, { startMs: 200, endMs: 2900 }),
      clip(5000, { startMs: 2000, endMs: 4000 }),
      clip(60_000, { startMs: 0, endMs: 60_000 }),
    ];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 6, max: 20 }), (talking, seconds) => {
        const schedules = scheduleTalking(clips, { talking, seconds });
        expect(meanTalking(schedules)).toBeGreaterThanOrEqual(talking);
        expect(meanTalking(schedules.slice(0, -1))).toBeLessThan(talking);
      }),
      { numRuns: 20 },
    );
  });

  it('ends its search where clips hardly hold speech', () => {
    const quiet = clip(4000, { startMs: 0, endMs: 1 });
    expect(scheduleTalking([quiet], { talking: 2, seconds: 4 })).toHaveLength(20);
  });

  it('per core is of those who talk, and unknown without CPU', () => {
    expect(talkingPerCore(30, 0.75)).toBe(40);
    expect(talkingPerCore(30, null)).toBeNull();
    expect(talkingPerCore(null, 0.5)).toBeNull();
  });
});
