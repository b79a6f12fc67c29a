import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepRun, readNewestRun, readRun } from './samples.js';

describe('kept runs', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-samples-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('come back as they were, one sample a line', async () => {
    const run = {
      bench: 'latency',
      result: { wer: 0.1 },
      samples: [
        { metric: 'wordLatencyMs', value: 412, cluster: '1/a', atS: 1.5 },
        { metric: 'wer', value: 1, weight: 12, cluster: '1/a' },
      ],
    };
    const path = await keepRun(folder, run);
    expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(3);
    expect(await readRun(path)).toEqual(run);
  });

  it('are found by bench, the newest of them', async () => {
    const run = { samples: [], bench: 'latency-1' };
    const first = await keepRun(folder, { ...run, result: 'first' });
    await rename(first, join(folder, 'latency-1-2026-01-01T00-00-00-000Z.jsonl'));
    await keepRun(folder, { ...run, result: 'second' });
    await keepRun(folder, { ...run, bench: 'latency-10', result: 'another' });
    expect(await readNewestRun(folder, 'latency-1')).toMatchObject({ result: 'second' });
    await expect(readNewestRun(folder, 'faults')).rejects.toMatchObject({ code: 'usage_run_invalid' });
  });

  it('are refused by line when something else is in the file', async () => {
    const path = join(folder, 'broken.jsonl');
    await writeFile(path, '{"bench":"latency","result":{}}\n{"metric":"wer"}\n');
    await expect(readRun(path)).rejects.toMatchObject({ code: 'usage_run_invalid' });
    await expect(readRun(path)).rejects.toThrow('line 2');
    await writeFile(path, '{}\n');
    await expect(readRun(path)).rejects.toThrow('first line');
  });
});
