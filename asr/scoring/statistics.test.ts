import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentile, summarise } from './statistics.js';

const measurements = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });

describe('percentile', () => {
  it.each([
    // Expected values from numpy.percentile.
    [[15, 20, 35, 40, 50], 40, 29],
    [[50, 15, 40, 20, 35], 95, 48],
    [[1, 2, 3, 4], 50, 2.5],
    [[1, 2, 3, 4], 90, 3.7],
    [[3], 99, 3],
    [[1, 2], 0, 1],
    [[1, 2], 100, 2],
  ])('of %j at %d is %d', (values, p, expected) => {
    expect(percentile(values, p)).toBeCloseTo(expected, 9);
  });

  it('lies between the extremes, does not depend on the order, and rises with p', () => {
    fc.assert(
      fc.property(measurements, fc.nat(100), fc.nat(100), (values, p, q) => {
        const low = percentile(values, Math.min(p, q)) ?? NaN;
        const high = percentile([...values].reverse(), Math.max(p, q)) ?? NaN;
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
        expect(high - low).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is null without values', () => {
    expect(percentile([], 50)).toBeNull();
  });

  it.each([
    [[1], -1],
    [[1], 101],
    [[1], Number.NaN],
    [[1, Number.NaN], 50],
    [[1, Infinity], 50],
  ])('refuses %j at %d', (values, p) => {
    expect(() => percentile(values, p)).toThrow(expect.objectContaining({ code: 'percentile_invalid' }));
  });
});

describe('summarise', () => {
  it('gives the percentiles we report', () => {
    const values = Array.from({ length: 101 }, (_, index) => 100 - index);
    expect(summarise(values)).toEqual({ p50: 50, p90: 90, p95: 95, p99: 99, count: 101 });
  });

  it('has nulls, not NaN, without values', () => {
    expect(summarise([])).toEqual({ p50: null, p90: null, p95: null, p99: null, count: 0 });
  });
});
