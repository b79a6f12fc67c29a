import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readOnnxMetadata } from '../models/onnx-file.js';
import { scratchDirs } from '../models/testing/scratch-dir.js';
import { describeWithModel } from '../testing/real-model.js';
import { loadEncoderCached } from './graph-cache.js';
import { Sessions } from './sessions.js';

const newDir = scratchDirs();

describeWithModel('loadEncoderCached', ({ files: { encoder: path } }) => {
  /** How many sessions were opened from bytes and from the file, and what came of it. */
  async function load(
    cacheDir: string | undefined,
    isGuarded = false,
  ): Promise<{ opened: string[]; isRewritten: boolean; mayOverflow: boolean }> {
    const sessions = new Sessions(1);
    const opened: string[] = [];
    const { isRewritten, mayOverflow } = await loadEncoderCached({
      isGuarded,
      path,
      metadata: await readOnnxMetadata(path),
      cacheDir,
      sessions: {
        release: (session) => sessions.release(session),
        open: (model) => {
          opened.push(typeof model === 'string' ? 'file' : 'bytes');
          return sessions.open(model);
        },
      },
    });
    await sessions.close();
    return { opened, isRewritten, mayOverflow };
  }

  it('rewrites an encoder once, and opens nothing but the outcome from then on', async () => {
    const cacheDir = join(await newDir(), 'not', 'there', 'yet');
    const first = await load(cacheDir);
    expect(first.isRewritten).toBe(true);
    expect(first.opened).toContain('file');
    expect(await readdir(cacheDir)).toHaveLength(1);
    expect(await load(cacheDir)).toEqual({ opened: ['bytes'], isRewritten: true, mayOverflow: true });
  });

  it('keeps the guarded encoder beside the other one', async () => {
    const cacheDir = await newDir();
    await load(cacheDir);
    expect(await load(cacheDir, true)).toMatchObject({ isRewritten: true, mayOverflow: false });
    expect(await readdir(cacheDir)).toHaveLength(2);
    expect(await load(cacheDir, true)).toEqual({ opened: ['bytes'], isRewritten: true, mayOverflow: false });
    expect(await load(cacheDir)).toEqual({ opened: ['bytes'], isRewritten: true, mayOverflow: true });
  });

  it('makes a damaged or truncated outcome anew', async () => {
    const cacheDir = await newDir();
    await load(cacheDir);
    const file = join(cacheDir, (await readdir(cacheDir))[0]!);
    const whole = await readFile(file);
    for (const damaged of [
      whole.subarray(0, 5000),
      Buffer.alloc(0),
      Buffer.from(whole).fill(7, 4000, 4100),
    ]) {
      await writeFile(file, damaged);
      expect((await load(cacheDir)).opened).toContain('file');
      expect((await readFile(file)).equals(whole)).toBe(true);
    }
  });

  it('makes a damaged one anew, whatever lies beside it, and removes what earlier versions left', async () => {
    const cacheDir = await newDir();
    await load(cacheDir);
    const [fast = ''] = await readdir(cacheDir);
    await load(cacheDir, true);
    const outdated = fast.replace(/^encoder-\d+/, 'encoder-1');
    const ofAnother = 'encoder-1-0123.onnx';
    for (const name of [fast, outdated, ofAnother]) await writeFile(join(cacheDir, name), 'damaged');
    expect(await load(cacheDir)).toMatchObject({ mayOverflow: true });
    expect((await readFile(join(cacheDir, fast))).length).toBeGreaterThan(1000);
    const left = await readdir(cacheDir);
    expect(left).toHaveLength(3);
    expect(left).toContain(ofAnother);
  });

  it('does without where the folder cannot be made, and where none is given', async () => {
    const file = join(await newDir(), 'a-file');
    await writeFile(file, '');
    expect((await load(join(file, 'dir'))).isRewritten).toBe(true);
    expect((await load(undefined)).isRewritten).toBe(true);
  });
});
