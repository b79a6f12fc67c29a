import { describe, expect, it } from 'vitest';
import { msToSamples } from '../../protocol/index.js';
import { countChangedWords, PACES, SpeculationPace } from './speculation-pace.js';

const CHUNK_MS = 320;

interface Machine {
  readonly streams: number;
  readonly msPerStream: number;
}

/** Seconds of a child whose streams are decoded and looked at as the pace says; the time between looks at the end of each second. */
function run(pace: SpeculationPace, seconds: readonly Machine[], startMs = 0): (number | undefined)[] {
  let nowMs = startMs;
  return seconds.map(({ streams, msPerStream }) => {
    const endMs = nowMs + 1000;
    let interval: number | undefined;
    for (; nowMs < endMs; nowMs += 10) {
      const samples = pace.untoldSamples(streams);
      interval = PACES.find(({ untoldMs }) => samples === msToSamples(untoldMs))?.everyMs;
      const cost = (everyMs: number): number => (10 / everyMs) * streams * msPerStream;
      pace.noteCall({ callMs: cost(CHUNK_MS), decoded: (10 / CHUNK_MS) * streams, looked: 0, nowMs });
      if (interval !== undefined) pace.noteCall({ callMs: cost(interval), decoded: 0, looked: 1, nowMs });
    }
    return interval;
  });
}

const seconds = (count: number, machine: Machine): Machine[] => Array<Machine>(count).fill(machine);

describe('SpeculationPace', () => {
  it('never looks where no word may change', () => {
    const pace = new SpeculationPace(0);
    expect(run(pace, seconds(2, { streams: 1, msPerStream: 1 }))).toEqual([undefined, undefined]);
  });

  it('looks every 80 ms with one speaker, more seldom with more of them, and not at all when decoding needs the CPU', () => {
    const last = (streams: number): number | undefined =>
      run(new SpeculationPace(0.05), seconds(5, { streams, msPerStream: 4 })).at(-1);
    expect([1, 5, 10, 20, 40].map(last)).toEqual([80, 80, 80, 320, undefined]);
  });

  it('goes back to frequent looks when people stop talking, or when looks get cheaper', () => {
    const pace = new SpeculationPace(0.05);
    const busy = seconds(5, { streams: 100, msPerStream: 4 });
    expect(run(pace, busy).at(-1)).toBeUndefined();
    expect(run(pace, seconds(2, { streams: 2, msPerStream: 4 }), 5000).at(-1)).toBe(80);
    const slow = seconds(5, { streams: 2, msPerStream: 200 });
    expect(run(pace, slow, 7000).at(-1)).toBeUndefined();
    expect(run(pace, seconds(10, { streams: 2, msPerStream: 4 }), 12_000).at(-1)).toBe(80);
  });

  it('takes no more than its share of the core, whatever a look costs', () => {
    for (const msPerStream of [1, 2, 5, 10, 20, 50, 100]) {
      for (const streams of [1, 3, 10, 30]) {
        const pace = new SpeculationPace(0.05);
        const interval = run(pace, seconds(10, { streams, msPerStream })).at(-1);
        const decoding = (streams * msPerStream) / CHUNK_MS;
        if (interval !== undefined)
          expect(decoding + (streams * msPerStream) / interval).toBeLessThanOrEqual(0.75);
      }
    }
  });

  it('lets looks ride along while there is CPU left, whatever the number of streams', () => {
    const pace = new SpeculationPace(0.05);
    const rides = (busyMs: number): number | undefined => {
      pace.noteCall({ callMs: busyMs / 2, decoded: 4, looked: 4, nowMs: (nowMs += 1000) });
      return pace.untoldSamplesOfRiders();
    };
    let nowMs = 0;
    expect(rides(600)).toBe(msToSamples(80));
    expect(pace.slackFrames).toBe(0);
    expect(rides(1600)).toBeUndefined();
    expect(rides(600)).toBe(msToSamples(80));
    expect(new SpeculationPace(0).untoldSamplesOfRiders()).toBeUndefined();
  });

  it('leaves out more of the newest audio while more words change than may, and less while fewer do', () => {
    const pace = new SpeculationPace(0.05);
    pace.noteWords(100, 100);
    pace.untoldSamples(1);
    const start = pace.slackFrames;
    expect(start).toBe(PACES[0].slackFrames);
    for (let step = 0; step < 3; step++) pace.noteWords(100, 10);
    const careful = pace.slackFrames;
    expect(careful).toBeGreaterThan(start);
    for (let step = 0; step < 100; step++) pace.noteWords(100, 10);
    expect(pace.slackFrames).toBeLessThanOrEqual(30);
    for (let step = 0; step < 100; step++) pace.noteWords(100, 0);
    expect(pace.slackFrames).toBe(0);
    pace.noteWords(100, 10);
    const settled = pace.slackFrames;
    pace.noteWords(100, 3);
    expect(pace.slackFrames).toBe(settled);
  });

  it('uses most of what is allowed, however chance spreads the words that change', () => {
    const pace = new SpeculationPace(0.05);
    pace.untoldSamples(1);
    let seed = 1;
    const chance = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    let changed = 0;
    for (let word = 0; word < 40_000; word++) {
      // The less of the newest audio is left out, the more words change.
      const isChanged = chance() < 0.08 - 0.006 * pace.slackFrames;
      changed += Number(isChanged);
      pace.noteWords(1, Number(isChanged));
    }
    expect(changed / 40_000).toBeGreaterThan(0.5 * 0.05);
    expect(changed / 40_000).toBeLessThan(0.05);
  });

  it('knows a slack for each pace: seldom looks may be more daring', () => {
    const pace = new SpeculationPace(0.05);
    run(pace, seconds(5, { streams: 1, msPerStream: 4 }));
    for (let step = 0; step < 3; step++) pace.noteWords(100, 10);
    const often = pace.slackFrames;
    run(pace, seconds(5, { streams: 20, msPerStream: 4 }), 5000);
    expect(pace.slackFrames).toBeLessThan(often);
    run(pace, seconds(5, { streams: 1, msPerStream: 4 }), 10_000);
    expect(pace.slackFrames).toBe(often);
  });
});

describe('countChangedWords', () => {
  it.each([
    ['', 'anything', 0],
    [' A B', ' A B C', 0],
    [' FOR', ' FOREST', 0],
    [' A B C', ' A X C', 1],
    [' A B C', ' A', 2],
    ['ER WORD', 'ERS WORLD', 1],
  ])('from "%s" to "%s": %i', (before, after, count) => {
    expect(countChangedWords(before, after)).toBe(count);
  });
});
