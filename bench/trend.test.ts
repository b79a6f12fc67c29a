import { describe, expect, it } from 'vitest';
import { trendOf } from './trend.js';

describe('a trend', () => {
  it('is the slope and the interval of a textbook regression', () => {
    // By hand: mean of at 3, of value 4; slope 6/10; residuals of 2.4 in all; error sqrt(2.4 / 3 / 10) = 0.28284.
    const values = [2, 4, 5, 4, 5];
    const trend = trendOf(values.map((value, index) => ({ at: index + 1, value })));
    expect(trend?.slope).toBeCloseTo(0.6, 9);
    expect(trend?.interval[0]).toBeCloseTo(0.6 - 3.182 * 0.28284, 3);
    expect(trend?.interval[1]).toBeCloseTo(0.6 + 3.182 * 0.28284, 3);
  });

  it('has no width for points on a line', () => {
    const trend = trendOf([0, 1, 2, 3].map((at) => ({ at, value: 7 - 2 * at })));
    expect(trend?.slope).toBeCloseTo(-2, 9);
    expect(trend?.interval[0]).toBeCloseTo(-2, 6);
  });

  it('is unknown for too few points, or all at one time', () => {
    expect(
      trendOf([
        { at: 0, value: 1 },
        { at: 1, value: 2 },
      ]),
    ).toBeNull();
    expect(trendOf([1, 2, 3].map((value) => ({ at: 5, value })))).toBeNull();
  });
});
