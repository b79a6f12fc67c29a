import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeBzip2 } from './bzip2.js';
import { importModel } from './import.js';
import { scratchDirs } from './testing/scratch-dir.js';
import { PAX_BZIP2_ARCHIVE, TINY_BZIP2_ARCHIVE } from './testing/tiny-bzip2.js';
import { tinyOnnx } from './testing/tiny-model.js';

const newDir = scratchDirs();
const FILES = ['decoder.onnx', 'encoder.onnx', 'install.json', 'joiner.onnx', 'tokens.txt'];

async function unpacked(archive: Buffer): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decodeBzip2(piecesOf(archive))) pieces.push(piece);
  return Buffer.concat(pieces);
}

// eslint-disable-next-line @typescript-eslint/require-await -- what a file gives is asynchronous
async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

describe('an archive that is cut off', () => {
  let tar: Buffer;
  beforeAll(async () => void (tar = await unpacked(PAX_BZIP2_ARCHIVE)));

  /** Imports the archive: it is installed whole, or damaged and leaves nothing. */
  async function expectWholeOrDamaged(archive: Buffer): Promise<'whole' | 'damaged'> {
    const [store, path] = [await newDir(), join(await newDir(), 'cut')];
    await writeFile(path, archive);
    try {
      const model = await importModel({ path, stores: [store], id: 'cut' });
      expect((await readdir(model.dir)).sort()).toEqual(FILES);
      expect(await readFile(join(model.dir, 'decoder.onnx'))).toEqual(tinyOnnx(100));
      return 'whole';
    } catch (error) {
      expect(error).toMatchObject({ code: 'archive_damaged' });
      expect(await readdir(store, { recursive: true })).toEqual(['.work']);
      return 'damaged';
    }
  }

  const kinds = [
    { kind: 'tar', pack: (bytes: Buffer) => bytes },
    { kind: 'tar.gz', pack: (bytes: Buffer) => gzipSync(bytes) },
    { kind: 'tar.bz2', pack: () => PAX_BZIP2_ARCHIVE },
  ];
  it.each(kinds)('is installed whole or damaged, wherever a $kind is cut', async ({ pack }) => {
    const archive = pack(tar);
    await fc.assert(
      fc.asyncProperty(fc.nat(archive.length), async (length) => {
        await expectWholeOrDamaged(archive.subarray(0, length));
      }),
      // In a pax header, right after one, between two blocks of the end.
      {
        numRuns: 150,
        examples: [[512], [1024], [1100], [tar.length - 512], [tar.length - 1024], [archive.length]],
      },
    );
    expect(await expectWholeOrDamaged(archive)).toBe('whole');
    expect(await expectWholeOrDamaged(archive.subarray(0, archive.length / 2))).toBe('damaged');
  });

  it('is damaged where the end of a compressed stream is missing', async () => {
    for (const length of [1, 4, 10, 200]) {
      const cut = TINY_BZIP2_ARCHIVE.subarray(0, TINY_BZIP2_ARCHIVE.length - length);
      expect(await expectWholeOrDamaged(cut)).toBe('damaged');
    }
  });
});

describe('an archive with changed bytes', () => {
  it('is installed, damaged or refused, and nothing else happens', async () => {
    const tar = await unpacked(PAX_BZIP2_ARCHIVE);
    const changes = fc.array(fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(changes, fc.constantFrom('tar', 'bz2'), async (changed, kind) => {
        const bytes = Buffer.from(kind === 'tar' ? tar : PAX_BZIP2_ARCHIVE);
        for (const { at, byte } of changed) bytes[at % bytes.length] = byte;
        const [store, path] = [await newDir(), join(await newDir(), 'changed')];
        await writeFile(path, bytes);
        const code = await importModel({ path, stores: [store], id: 'changed' }).then(
          () => 'installed',
          (error: unknown) => (error as { code?: unknown }).code,
        );
        expect([
          'installed',
          'archive_damaged',
          'archive_unsafe',
          'model_incomplete',
          'model_damaged',
        ]).toContain(code);
        if (code !== 'installed') expect(await readdir(store, { recursive: true })).toEqual(['.work']);
      }),
      { numRuns: 150 },
    );
  });
});
