import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile } from '../../asr/index.js';
import { LatencyDigest } from './latency-digest.js';

const digestOf = (values: readonly number[]): LatencyDigest => {
  const digest = new LatencyDigest();
  for (const value of values) digest.add(value);
  return digest;
};

const latencies = fc.array(fc.double({ min: 0, max: 120_000, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});

/** The widest bucket at such a value, and what is rounded when it is written down. */
const toleranceAt = (ms: number): number => 1 + ms / 100;

describe('a digest of latencies', () => {
  it.each([0, 1, 5, 25, 50, 90, 95, 99, 99.9, 100])('agrees with the reference on percentile %d', (p) => {
    fc.assert(
      fc.property(latencies, (values) => {
        const expected = percentile(values, p) ?? NaN;
        // Between the closest ranks both are interpolated, so the larger of the two bounds the error.
        const upper = Math.max(...values.filter((value) => value <= expected), expected);
        expect(Math.abs((digestOf(values).percentile(p) ?? NaN) - expected)).toBeLessThanOrEqual(
          toleranceAt(
            Math.max(
              upper,
              ...values
                .filter((value) => value > expected)
                .sort((a, b) => a - b)
                .slice(0, 1),
            ),
          ),
        );
      }),
    );
  });

  it('agrees with the reference to a hundredth on what latencies look like', () => {
    const values = Array.from({ length: 20_000 }, (_, index) => 120 * 1.0002 ** index + (index % 7) * 11);
    for (const p of [50, 90, 95, 99]) {
      const expected = percentile(values, p) ?? NaN;
      expect(Math.abs((digestOf(values).percentile(p) ?? NaN) / expected - 1)).toBeLessThan(0.01);
    }
  });

  it('adds up: of the parts of a list as of the whole', () => {
    fc.assert(
      fc.property(latencies, latencies, (first, second) => {
        const merged = digestOf(first);
        merged.merge(digestOf(second));
        const whole = digestOf([...first, ...second]);
        expect(merged.buckets()).toEqual(whole.buckets());
        expect(merged.count).toBe(whole.count);
        expect(merged.maxMs).toBe(whole.maxMs);
        expect(merged.sumMs).toBeCloseTo(whole.sumMs, 4);
      }),
    );
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const digest = digestOf(values);
        const read = LatencyDigest.decode(JSON.parse(JSON.stringify(digest.encode())));
        expect(read?.buckets()).toEqual(digest.buckets());
        expect(read?.count).toBe(values.length);
        expect(read?.sumMs).toBeCloseTo(digest.sumMs, 0);
      }),
    );
    expect(LatencyDigest.decode([])?.count).toBe(0);
  });

  it('is not read from anything else', () => {
    const isDigest = (value: unknown): boolean => LatencyDigest.decode(value) !== undefined;
    for (const wrong of [null, 'x', {}, [1], [1, 2, 3], [1, 2, 3, 4], [1, 1, 1, -1, 2], [1, 1, 1, 'a', 2]])
      expect(isDigest(wrong)).toBe(false);
    fc.assert(fc.property(fc.anything(), (value) => void isDigest(value)));
  });

  it('has no percentile of nothing, and takes no time before the word for none', () => {
    expect(new LatencyDigest().percentile(50)).toBeNull();
    const digest = digestOf([-40, NaN, Infinity]);
    expect(digest.count).toBe(2);
    expect(digest.percentile(0)).toBe(0);
  });

  it('knows which share is within a limit', () => {
    const digest = digestOf([100, 200, 300, 4000]);
    expect(digest.shareWithin(3000)).toBe(0.75);
    expect(digest.shareWithin(99)).toBe(0);
    expect(digest.shareWithin(5000)).toBe(1);
  });
});
