import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  descendantsOf,
  parseCpuSeconds,
  parseMemoryMb,
  sumOfUsages,
  usageOf,
  usageOfTree,
} from './process-usage.js';

describe('what a process uses', () => {
  it('is read from stat, whatever the name of the program', () => {
    const stat = '42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 100 1000 100';
    expect(parseCpuSeconds(stat)).toBe(3);
    expect(parseCpuSeconds('')).toBe(0);
  });

  it('counts shared memory once', () => {
    const rollup =
      '55d0-7ffe ---p [rollup]\nRss:   9000 kB\nPss:   2000 kB\nPss_Anon: 1 kB\nPrivate_Dirty:  500 kB';
    expect(parseMemoryMb(rollup, 'Pss')).toBeCloseTo(2.048);
    expect(parseMemoryMb(rollup, 'Private_Dirty')).toBeCloseTo(0.512);
    expect(parseMemoryMb('', 'Pss')).toBe(0);
  });

  it('adds up', () => {
    const one = { cpuSeconds: 1, memoryMb: 20, privateMb: 10 };
    expect(sumOfUsages([one, one])).toEqual({ cpuSeconds: 2, memoryMb: 40, privateMb: 20 });
  });

  it('includes its children, and nothing when it is gone', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)']);
    await once(child.stdout, 'data');
    expect(descendantsOf(process.pid)).toContain(child.pid);
    expect(usageOfTree(child.pid!).memoryMb).toBeGreaterThan(1);
    const { memoryMb, privateMb } = usageOf(child.pid!);
    expect(privateMb).toBeGreaterThan(1);
    expect(memoryMb).toBeGreaterThan(privateMb);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(usageOf(child.pid!)).toEqual({ cpuSeconds: 0, memoryMb: 0, privateMb: 0 });
    expect(usageOfTree(child.pid!)).toEqual({ cpuSeconds: 0, memoryMb: 0, privateMb: 0 });
  });
});
