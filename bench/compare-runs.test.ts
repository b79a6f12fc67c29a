import { describe, expect, it } from 'vitest';
import { compareRuns } from './compare-runs.js';
import type { KeptRun, Sample } from './samples.js';

/** Deterministic numbers spread over 0 to 1. */
const spread = (index: number): number => (index * 0.618034) % 1;

const run = (samples: readonly Sample[]): KeptRun => ({ bench: 'latency', result: {}, samples });

/** 40 clips of 10 words, 300 to 500 ms late and each clip by up to 60 ms more, all by `extraMs` more. */
const latencies = (extraMs: number, seed = 0): KeptRun =>
  run(
    Array.from({ length: 400 }, (_, index) => ({
      metric: 'wordLatencyMs',
      cluster: `clip-${Math.floor(index / 10)}`,
      value: 300 + 200 * spread(index + seed) + 60 * spread(Math.floor(index / 10)) + extraMs,
    })),
  );

const errors = (perClip: (clip: number) => number): KeptRun =>
  run(
    Array.from({ length: 50 }, (_, clip) => ({
      metric: 'wer',
      cluster: `clip-${clip}`,
      value: perClip(clip),
      weight: 10,
    })),
  );

describe('comparing runs', () => {
  it.each([
    { what: 'nothing that tells', result: {}, isQuiet: true },
    { what: 'others at work', result: { othersCores: 0.9, machine: { load1: 0, cores: 2 } }, isQuiet: false },
    {
      what: 'its own load only',
      result: { othersCores: 0.05, machine: { load1: 5, cores: 2 } },
      isQuiet: true,
    },
    { what: 'a load before', result: { machine: { load1: 5, cores: 2 } }, isQuiet: false },
  ])('says whether the machine was quiet: $what', ({ result, isQuiet }) => {
    const [first] = compareRuns({ ...latencies(0), result }, latencies(25, 3));
    expect(first?.isMachineQuiet).toBe(isQuiet);
  });

  it('finds a delay that one run has and the other has not', () => {
    const comparisons = compareRuns(latencies(0), latencies(25, 3));
    expect(comparisons.map(({ figure }) => figure)).toEqual(['wordLatencyMs p50', 'wordLatencyMs p95']);
    for (const { differs, interval, isPaired } of comparisons) {
      expect(isPaired).toBe(true);
      expect(differs).toBe(true);
      expect(interval[0]).toBeGreaterThan(5);
      expect(interval[1]).toBeLessThan(45);
    }
  });

  it('finds none between runs that differ by chance alone', () => {
    for (const seed of [1, 2, 5, 9]) {
      const [median] = compareRuns(latencies(0), latencies(0, seed));
      expect(median?.differs).toBe(false);
    }
  });

  it('gives the same interval for the same runs', () => {
    expect(compareRuns(latencies(0), latencies(7, 4))).toEqual(compareRuns(latencies(0), latencies(7, 4)));
  });

  it('compares shares by their weights, and sees a share that has grown', () => {
    const few = errors((clip) => (clip % 5 === 0 ? 1 : 0));
    const [same] = compareRuns(
      few,
      errors((clip) => (clip % 5 === 1 ? 1 : 0)),
    );
    expect(same).toMatchObject({ figure: 'wer', a: 0.02, b: 0.02, differs: false });
    const [worse] = compareRuns(
      few,
      errors(() => 1),
    );
    expect(worse).toMatchObject({ figure: 'wer', b: 0.1, differs: true });
    expect(worse?.difference).toBeCloseTo(0.08, 9);
  });

  it('draws independently where the clips are not the same, and leaves out what only one run has', () => {
    const other = run([
      ...latencies(200).samples.map((sample) => ({ ...sample, cluster: `other-${sample.cluster}` })),
      { metric: 'finalLatencyMs', cluster: 'clip-1', value: 1 },
    ]);
    const comparisons = compareRuns(latencies(0), other);
    expect(comparisons).toHaveLength(2);
    expect(comparisons.every(({ isPaired, differs }) => !isPaired && differs)).toBe(true);
  });
});
