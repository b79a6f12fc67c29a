import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
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

  it.each([
    ['refuses a type that nobody knows', (head: Buffer) => head.write('Z', 156), 'archive_unsafe'],
    ['calls a negative size damaged', (head: Buffer) => head.fill(0xff, 124, 136), 'archive_damaged'],
  ])('%s', async (_, change, code) => {
    const archive = rawTar([good]);
    change(archive.subarray(0, 512));
    writeChecksum(archive.subarray(0, 512));
    await expect(unpack(archive)).rejects.toMatchObject({ code });
  });

  it('counts what is in no file', async () => {
    const header = rawTar([{ path: 'x', type: 'ExtendedHeader', content: Buffer.alloc(2 ** 20, 0x20) }]);
    const headers = Array<Buffer>(80).fill(header.subarray(0, -1024));
    await expect(
      unpack(Buffer.concat([...headers, rawTar([good])]), { maxUnpackedBytes: 1 }),
    ).rejects.toMatchObject({
      code: 'archive_unsafe',
      message: expect.stringContaining('more than 1 bytes') as string,
    });
  });

  it('refuses what is packed beyond anything a model can be', async () => {
    const bomb = gzipSync(rawTar([{ path: 'm/zeros', content: Buffer.alloc(80_000_000) }]));
    await expect(unpack(bomb)).rejects.toMatchObject({
      code: 'archive_unsafe',
      message: expect.stringContaining('100 times its size') as string,
    });
  });

  it('does not unpack twice', async () => {
    await expect(unpack(gzipSync(gzipSync(rawTar([good]))))).rejects.toThrow(/compressed twice/);
  });

  it('leaves alone what follows the end of the archive', async () => {
    const archive = gzipSync(Buffer.concat([rawTar([good]), randomBytes(4_000_000)]), { level: 0 });
    const target = await unpack(archive.subarray(0, 3_000_000));
    expect(await readFile(join(target, 'm', 'tokens.txt'), 'utf8')).toBe('A 0\n');
    // Padding is read: the checksum comes behind it.
    const padded = gzipSync(Buffer.concat([rawTar([good]), Buffer.alloc(10_000)]));
    await expect(unpack(flipByte(padded, padded.length - 5))).rejects.toMatchObject({
      code: 'archive_damaged',
    });
  });

  it('writes nothing of what systems leave beside files', async () => {
    const target = await unpack(
      rawTar([
        good,
        { ...good, path: './m/._tokens.txt' },
        { ...good, path: '__MACOSX/m/x' },
        { ...good, path: './.DS_Store' },
      ]),
    );
    expect((await readdir(target, { recursive: true })).sort()).toEqual(['m', 'm/tokens.txt']);
  });

  it('writes nothing any more once it has ended', async () => {
    const reason = new Error('enough');
    const stop = new AbortController();
    const dir = await newDir();
    const many = Array.from({ length: 2000 }, (_, index): TarEntry => ({
      path: `m/${index}`,
      content: Buffer.alloc(1000),
    }));
    await writeFile(join(dir, 'archive'), rawTar(many));
    await mkdir(join(dir, 'target'));
    const unpacking = unpackArchive({
      archivePath: join(dir, 'archive'),
      targetDir: join(dir, 'target'),
      signal: stop.signal,
      onProgress: ({ doneBytes }) => doneBytes > 500_000 && stop.abort(reason),
    });
    await expect(unpacking).rejects.toBe(reason);
    const written = await readdir(join(dir, 'target', 'm'));
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(2000);
    await rm(join(dir, 'target'), { recursive: true });
    await expect(stat(join(dir, 'target'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says what the disk says, and does not blame the archive for it', async () => {
    const dir = await newDir();
    await writeFile(join(dir, 'archive'), rawTar([good]));
    const unpacking = unpackArchive({ archivePath: join(dir, 'archive'), targetDir: join(dir, 'no\0where') });
    await expect(unpacking).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    await expect(unpack(rawTar([good, { ...good, path: 'm/tokens.txt/x' }]))).rejects.toMatchObject({
      code: 'archive_damaged',
    });
  });

  it('stops with the reason of the signal', async () => {
    const reason = new Error('enough');
    const archive = await tinyArchive(await newDir());
    await expect(unpack(archive, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

/** Of a header that was changed. */
function writeChecksum(head: Buffer): void {
  head.fill(' ', 148, 156);
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
}

function flipByte(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}
