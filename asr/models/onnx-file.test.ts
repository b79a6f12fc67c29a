import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOnnxFile } from './onnx-file.js';
import { scratchDirs } from './testing/scratch-dir.js';
import { tinyOnnx } from './testing/tiny-model.js';

const newDir = scratchDirs();

async function check(content: Buffer | string): Promise<void> {
  const path = join(await newDir(), 'encoder.onnx');
  await writeFile(path, content);
  await checkOnnxFile(path);
}

describe('checkOnnxFile', () => {
  it('accepts a file that is protobuf with a graph up to its last byte', async () => {
    await expect(check(tinyOnnx(5000))).resolves.toBeUndefined();
  });

  it.each([
    [
      'a file that was cut off',
      tinyOnnx(5000).subarray(0, 3000),
      /should have at least 5005 bytes and has 3000/,
    ],
    [
      'a file with something after its end',
      Buffer.concat([tinyOnnx(), Buffer.from([0xff])]),
      /byte 104 is not/,
    ],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
      /Git LFS pointer/,
    ],
    ['a web page', '\n<!DOCTYPE html><html>Not Found</html>', /web page/],
    ['protobuf without a graph', Buffer.from([0x08, 0x07]), /no graph/],
  ])('refuses %s', async (_, content, message) => {
    await expect(check(content)).rejects.toMatchObject({
      code: 'model_damaged',
      message: expect.stringMatching(message) as string,
    });
  });

  it('calls an empty file incomplete', async () => {
    await expect(check('')).rejects.toMatchObject({ code: 'model_incomplete' });
  });
});
