import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { scratchDirs } from './testing/scratch-dir.js';
import { TINY_BZIP2_ARCHIVE } from './testing/tiny-bzip2.js';
import { rawTar, TINY_FOLDER, tinyArchive, tinyFiles, type TarEntry } from './testing/tiny-model.js';
import { unpackArchive, type UnpackOptions } from './unpack.js';

const newDir = scratchDirs();

async function unpack(archive: Buffer, options: Partial<UnpackOptions> = {}): Promise<string> {
  const dir = await newDir();
  const archivePath = join(dir, 'archive');
  const targetDir = join(dir, 'inside', 'target');
  await writeFile(archivePath, archive);
  await mkdir(targetDir, { recursive: true });
  await unpackArchive({ archivePath, targetDir, ...options });
  return targetDir;
}

describe('unpackArchive', () => {
  it('unpacks .tar.gz', async () => {
    const target = await unpack(await tinyArchive(await newDir()));
    expect(await readdir(join(target, TINY_FOLDER))).toEqual(Object.keys(tinyFiles()).sort());
    expect(await readFile(join(target, TINY_FOLDER, 'tokens.txt'))).toEqual(tinyFiles()['tokens.txt']);
  });

  it('unpacks .tar.bz2 of several blocks, and tells how far it is', async () => {
    const seen: number[] = [];
    const target = await unpack(TINY_BZIP2_ARCHIVE, { onProgress: ({ doneBytes }) => seen.push(doneBytes) });
    expect((await stat(join(target, 'tiny-bz', 'encoder.onnx'))).size).toBe(2_000_006);
    expect(await readFile(join(target, 'tiny-bz', 'tokens.txt'), 'utf8')).toBe('<blk> 0\nA 1\n');
    expect(seen.at(-1)).toBe(TINY_BZIP2_ARCHIVE.length);
  });

  it('unpacks plain .tar, and gives every file harmless permissions', async () => {
    const target = await unpack(
      rawTar([
        { path: 'm/', type: 'Directory', mode: 0o000 },
        { path: 'm/run-me', mode: 0o4777, content: Buffer.from('x') },
      ]),
    );
    expect((await stat(join(target, 'm', 'run-me'))).mode & 0o7111).toBe(0);
  });

  const good: TarEntry = { path: 'm/tokens.txt', content: Buffer.from('A 0\n') };
  const wicked: readonly [string, TarEntry, RegExp][] = [
    ['climbs out with ".."', { path: 'm/../../evil', content: Buffer.from('!') }, /leaves the folder/],
    ['climbs out with backslashes', { path: 'm\\..\\..\\evil', content: Buffer.from('!') }, /\.\./],
    ['has an absolute path', { path: '/tmp/evil', content: Buffer.from('!') }, /absolute path/],
    ['has a drive letter', { path: 'C:/evil', content: Buffer.from('!') }, /absolute path/],
    ['is a symbolic link', { path: 'm/link', type: 'SymbolicLink', linkpath: '/etc/passwd' }, /SymbolicLink/],
    ['is a hard link', { path: 'm/link', type: 'Link', linkpath: 'm/tokens.txt' }, /is a Link/],
    ['is a pipe', { path: 'm/pipe', type: 'FIFO' }, /FIFO/],
    ['is a device', { path: 'm/zero', type: 'CharacterDevice' }, /CharacterDevice/],
  ];
  it.each(wicked)('refuses an archive of which one entry %s', async (_, entry, message) => {
    const archive = rawTar([good, entry, good]);
    for (const packed of [archive, gzipSync(archive)]) {
      await expect(unpack(packed)).rejects.toMatchObject({
        code: 'archive_unsafe',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  it('does not follow a symbolic link that an entry before it made', async () => {
    const outside = await newDir();
    const archive = rawTar([
      { path: 'm', type: 'SymbolicLink', linkpath: outside },
      { path: 'm/evil', content: Buffer.from('!') },
    ]);
    await expect(unpack(archive)).rejects.toMatchObject({ code: 'archive_unsafe' });
    expect(await readdir(outside)).toEqual([]);
  });

  it('refuses more bytes than the limit before writing them', async () => {
    const archive = rawTar([{ path: 'm/big', content: Buffer.alloc(5000) }]);
    await expect(unpack(archive, { maxUnpackedBytes: 4999 })).rejects.toMatchObject({
      code: 'archive_unsafe',
    });
    await expect(unpack(archive, { maxUnpackedBytes: 5000 })).resolves.toBeDefined();
  });

  it.each([
    ['a web page', Buffer.from('<html>'.repeat(200))],
    ['nothing', Buffer.alloc(0)],
    ['half of a bzip2 archive', TINY_BZIP2_ARCHIVE.subarray(0, TINY_BZIP2_ARCHIVE.length / 2)],
    ['half of a gzip archive', gzipSync(rawTar([good])).subarray(0, 60)],
    ['half of a tar', rawTar([{ path: 'm/a', content: Buffer.alloc(5000) }]).subarray(0, 3000)],
    ['a bzip2 archive with a changed byte', flipByte(TINY_BZIP2_ARCHIVE, 200)],
  ])('calls %s damaged', async (_, bytes) => {
    await expect(unpack(bytes)).rejects.toMatchObject({ code: 'archive_damaged' });
  });

  it('stops with the reason of the signal', async () => {
    const reason = new Error('enough');
    const archive = await tinyArchive(await newDir());
    await expect(unpack(archive, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

function flipByte(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}
