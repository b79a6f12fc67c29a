import { expect, it } from 'vitest';
import { Workload } from './workload.js';

it('workload is the cores that decoding for good took since the last look', () => {
  const workload = new Workload(1000);
  workload.noteCall({ callMs: 40, batchSize: 8, advanced: 8 });
  // Three of four streams were only looked at.
  workload.noteCall({ callMs: 40, batchSize: 4, advanced: 1 });
  workload.noteCall({ callMs: 0, batchSize: 0, advanced: 0 });
  expect(workload.takeCores(1100)).toBeCloseTo(0.5);
  expect(workload.takeCores(1100)).toBe(0);
  expect(workload.takeCores(1200)).toBe(0);
});
