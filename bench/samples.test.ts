import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepRun, readRun } from './samples.js';

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

  it('are refused by line when something else is in the file', async () => {
    const path = join(folder, 'broken.jsonl');
    await writeFile(path, '{"bench":"latency","result":{}}\n{"metric":"wer"}\n');
    await expect(readRun(path)).rejects.toMatchObject({ code: 'usage_run_invalid' });
    await expect(readRun(path)).rejects.toThrow('line 2');
    await writeFile(path, '{}\n');
    await expect(readRun(path)).rejects.toThrow('first line');
  });
});
