import { expect, it } from 'vitest';
import { driftOf } from './endurance-bench.js';

it('drift is the slope an hour, from where the line begins', () => {
  // 100 MB at first and 1 MB more a minute, a measurement a minute for ten minutes, beginning at minute 5.
  const points = Array.from({ length: 11 }, (_, minute) => ({ at: 60 * (minute + 5), value: 100 + minute }));
  expect(driftOf(points)).toEqual({ atStart: 100, perHour: 60, perHourInterval: [60, 60], growth: 0.1 });
  expect(driftOf(points.slice(0, 2))).toBeNull();
});
