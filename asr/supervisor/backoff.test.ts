import { describe, expect, it } from 'vitest';
import { DEFAULT_BACKOFF, restartDelayMs } from './backoff.js';

describe('restartDelayMs', () => {
  it('restarts at once after the first failure, then waits twice as long each time, up to the cap', () => {
    const policy = { firstDelayMs: 250, maxDelayMs: 2000, healthyAfterMs: 30_000 };
    expect([1, 2, 3, 4, 5, 6, 60, 2000].map((failures) => restartDelayMs(policy, failures))).toEqual([
      0, 250, 500, 1000, 2000, 2000, 2000, 2000,
    ]);
  });

  it('waits at most 10 s by default', () => {
    expect(restartDelayMs(DEFAULT_BACKOFF, 1000)).toBe(10_000);
  });
});
