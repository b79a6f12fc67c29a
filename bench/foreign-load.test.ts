import { cpus } from 'node:os';
import { expect, it } from 'vitest';
import { waitFor } from '../gateway/testing/wait-until.js';
import { busySeconds, ForeignLoad, isDisturbed } from './foreign-load.js';

it('counts every kind of work of all processors, and no idleness', () => {
  expect(busySeconds('cpu  100 20 30 9999 888 7 3 40 500 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n')).toBe(2);
  expect(busySeconds('intr 1 2 3')).toBeNull();
});

it('is no more than the machine has', async () => {
  const load = new ForeignLoad();
  const startedAtMs = performance.now();
  const cores = await waitFor('half a second of load', () =>
    performance.now() - startedAtMs > 500 ? (load.cores() ?? undefined) : undefined,
  );
  expect(cores).toBeGreaterThanOrEqual(0);
  expect(cores).toBeLessThanOrEqual(1.1 * cpus().length);
});

it('calls a machine disturbed of which others take a fifth of a core', () => {
  expect([null, 0.05, 0.5].map(isDisturbed)).toEqual([false, false, true]);
});
