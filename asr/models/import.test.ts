import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importModel } from './import.js';
import { readInstallRecord } from './install-record.js';
import { scratchDirs } from './testing/scratch-dir.js';
import { TINY_BZIP2_ARCHIVE } from './testing/tiny-bzip2.js';
import {
  rawTar,
  TINY_FOLDER,
  TINY_ID,
  TINY_TOKENS,
  tinyArchive,
  tinyEntry,
  tinyFiles,
  tinyOnnx,
  writeFiles,
} from './testing/tiny-model.js';
import { verifyModel } from './verify.js';

const newDir = scratchDirs();
const registry = [tinyEntry(undefined)];

describe('importModel', () => {
  it('copies what belongs to a model out of a folder', async () => {
    const store = await newDir();
    const path = await writeFiles(join(await newDir(), TINY_FOLDER), {
      ...tinyFiles(),
      LICENSE: 'Apache-2.0',
      'private-notes.docx': '?',
      'test_wavs/0.wav': 'RIFF',
    });
    const model = await importModel({ path, stores: [store], registry });
    expect(model).toMatchObject({ id: TINY_ID, dir: join(store, TINY_ID) });
    expect((await readdir(model.dir)).sort()).toEqual(
      [...Object.keys(tinyFiles()), 'LICENSE', 'install.json'].sort(),
    );
    expect(await readInstallRecord(model.dir)).toMatchObject({ id: TINY_ID, source: path });
  });

  it('unpacks an archive, and names the model after it where nobody registered it', async () => {
    const store = await newDir();
    const path = join(await newDir(), 'my-model.tar.bz2');
    await writeFile(path, TINY_BZIP2_ARCHIVE);
    expect(await importModel({ path, stores: [store] })).toMatchObject({ id: 'my-model' });
    expect(await importModel({ path, stores: [store], id: 'other' })).toMatchObject({ id: 'other' });
    expect((await readdir(store)).sort()).toEqual(['.work', 'my-model', 'other']);
  });

  it('takes an archive whose files are not in a folder', async () => {
    const path = join(await newDir(), 'flat.tar');
    await writeFile(
      path,
      rawTar(Object.entries(tinyFiles()).map(([name, content]) => ({ path: name, content }))),
    );
    const model = await importModel({ path, stores: [await newDir()] });
    expect(await verifyModel({ id: 'flat', dir: model.dir })).toMatchObject({ checked: 'checksums' });
  });

  it.each([
    [
      'an archive',
      '._mac',
      'mac/._tokens.txt',
      '__MACOSX/mac/._encoder-epoch-9-avg-1.onnx',
      '.DS_Store',
      'mac/.DS_Store',
    ],
    ['an archive with remarks', 'README.md', 'SHA256SUMS'],
  ])('finds the one folder of %s beside what else is in it', async (_, ...beside) => {
    const path = join(await newDir(), 'mac.tar');
    const files = Object.entries(tinyFiles()).map(([name, content]) => ({ path: `mac/${name}`, content }));
    const clutter = beside.map((name) => ({ path: name, content: Buffer.from('\0\x05\x16\x07') }));
    await writeFile(path, rawTar([...clutter, ...files]));
    const model = await importModel({ path, stores: [await newDir()] });
    expect((await readdir(model.dir)).sort()).toEqual([...Object.keys(tinyFiles()), 'install.json'].sort());
  });

  it.each([
    ['two folders deeper', 'outer/my-model/'],
    ['beside a folder of test recordings', 'my-model/', 'test_wavs/0.wav'],
  ])('finds the model %s', async (_, folder, ...beside) => {
    const path = join(await newDir(), 'nested.tar');
    const files = Object.entries(tinyFiles()).map(([name, content]) => ({
      path: `${folder}${name}`,
      content,
    }));
    const others = beside.map((name) => ({ path: name, content: Buffer.from('RIFF') }));
    await writeFile(path, rawTar([...others, ...files]));
    const model = await importModel({ path, stores: [await newDir()] });
    expect(await readdir(model.dir)).toEqual(expect.arrayContaining(Object.keys(tinyFiles())));
  });

  it('does not guess between two models', async () => {
    const path = join(await newDir(), 'two.tar');
    const files = ['one', 'two'].flatMap((folder) =>
      Object.entries(tinyFiles()).map(([name, content]) => ({ path: `${folder}/${name}`, content })),
    );
    await writeFile(path, rawTar(files));
    await expect(importModel({ path, stores: [await newDir()] })).rejects.toMatchObject({
      code: 'model_incomplete',
    });
  });

  it('takes null in model.json for what is not said', async () => {
    const path = await writeFiles(join(await newDir(), 'said'), {
      ...tinyFiles(),
      'model.json': JSON.stringify({ title: null, languages: ['en_US'], casing: null, punctuates: null }),
    });
    expect(await importModel({ path, stores: [await newDir()] })).toMatchObject({
      title: 'said',
      languages: ['en_US'],
    });
  });

  it('finds the one folder in a folder, and leaves out what a system put into it', async () => {
    const path = await writeFiles(join(await newDir(), 'outer'), {
      '.DS_Store': '?',
      '._inner': '?',
      ...Object.fromEntries(Object.entries(tinyFiles()).map(([name, content]) => [`inner/${name}`, content])),
      'inner/._encoder-epoch-9-avg-1.onnx': '?',
      'inner/Thumbs.db': '?',
    });
    const model = await importModel({ path, stores: [await newDir()] });
    expect((await readdir(model.dir)).sort()).toEqual([...Object.keys(tinyFiles()), 'install.json'].sort());
  });

  it('reads texts that another system wrote: byte order marks, other line ends', async () => {
    const path = await writeFiles(join(await newDir(), 'mine'), {
      ...tinyFiles(),
      'tokens.txt': `\uFEFF${TINY_TOKENS.replaceAll('\n', '\r\n')}`,
      'model.json': Buffer.from('\uFEFF{"title": "Mine",\r\n"languages": ["br"]}', 'utf16le'),
    });
    expect(await importModel({ path, stores: [await newDir()] })).toMatchObject({
      title: 'Mine',
      languages: ['br'],
      casing: 'upper',
    });
  });

  it('follows links to files, as model hubs make them', async () => {
    const blobs = await writeFiles(await newDir(), { a1b2: tinyOnnx(200) });
    const path = await writeFiles(join(await newDir(), 'linked'), { 'tokens.txt': 'A 0\n' });
    for (const role of ['encoder', 'decoder', 'joiner']) {
      await symlink(join(blobs, 'a1b2'), join(path, `${role}.onnx`));
    }
    const model = await importModel({ path, stores: [await newDir()] });
    expect(await readFile(join(model.dir, 'encoder.onnx'))).toEqual(tinyOnnx(200));
  });

  it('replaces a model of the same id, and keeps it when the new one is bad', async () => {
    const store = await newDir();
    const path = await writeFiles(join(await newDir(), 'mine'), tinyFiles());
    await importModel({ path, stores: [store] });
    await writeFile(join(path, 'tokens.txt'), 'B 0\n');
    const model = await importModel({ path, stores: [store] });
    const tokens = join(model.dir, 'tokens.txt');
    expect(await readFile(tokens, 'utf8')).toBe('B 0\n');
    await writeFile(join(path, 'tokens.txt'), 'nonsense');
    await expect(importModel({ path, stores: [store] })).rejects.toMatchObject({ code: 'model_damaged' });
    expect(await readFile(tokens, 'utf8')).toBe('B 0\n');
    expect(await readdir(join(store, '.work'))).toEqual([]);
  });

  it('checks an archive that has the official name against the official checksum', async () => {
    const dir = await newDir();
    const archive = await tinyArchive(dir);
    const path = join(dir, `${TINY_FOLDER}.tar.gz`);
    const stores = [await newDir()];
    const known = tinyEntry(archive);
    const other = { ...known, archive: { ...known.archive, sha256: '0'.repeat(64) } };
    await expect(importModel({ path, stores, registry: [other] })).rejects.toMatchObject({
      code: 'archive_mismatch',
    });
    expect(await importModel({ path, stores, registry: [known] })).toMatchObject({ id: TINY_ID });
  });

  it('refuses what is no model and leaves nothing of it', async () => {
    const store = await newDir();
    const pictures = await writeFiles(join(await newDir(), 'pictures'), { 'beach.jpg': 'sand' });
    await expect(importModel({ path: pictures, stores: [store] })).rejects.toMatchObject({
      code: 'model_incomplete',
    });
    const evil = join(await newDir(), 'evil.tar');
    await writeFile(evil, rawTar([{ path: '../../evil', content: Buffer.from('!') }]));
    await expect(importModel({ path: evil, stores: [store] })).rejects.toMatchObject({
      code: 'archive_unsafe',
    });
    expect(await readdir(store, { recursive: true })).toEqual(['.work']);
  });

  it('checks a folder that was installed on another machine against its record', async () => {
    const path = await writeFiles(join(await newDir(), 'mine'), tinyFiles());
    const { dir } = await importModel({ path, stores: [await newDir()] });
    const elsewhere = [await newDir()];
    expect(await importModel({ path: dir, stores: elsewhere })).toMatchObject({ id: 'mine' });
    await writeFile(join(dir, 'tokens.txt'), TINY_TOKENS.replace('HELLO', 'JELLO'));
    await expect(importModel({ path: dir, stores: elsewhere })).rejects.toMatchObject({
      code: 'model_damaged',
    });
  });

  it.each([
    { what: 'a path where nothing is', path: '/nowhere/at/all', id: undefined, code: 'usage_import_path' },
    { what: 'an id that would leave the store', path: '.', id: '../x', code: 'usage_model_id' },
  ])('refuses $what', async ({ path, id, code }) => {
    await expect(importModel({ path, id, stores: [await newDir()] })).rejects.toMatchObject({ code });
  });
});

describe('verifyModel', () => {
  it('finds a changed byte that no quick check can see', async () => {
    const path = await writeFiles(join(await newDir(), 'mine'), tinyFiles());
    const { dir } = await importModel({ path, stores: [await newDir()] });
    const encoder = join(dir, 'encoder-epoch-9-avg-1.onnx');
    const bytes = await readFile(encoder);
    bytes[bytes.length - 1] = 0x62;
    await writeFile(encoder, bytes);
    await expect(verifyModel({ id: 'mine', dir })).rejects.toMatchObject({
      code: 'model_damaged',
      message: expect.stringMatching(/has changed.*encoder-epoch-9-avg-1\.onnx/) as string,
    });
  });

  it('says that a folder without a record could only be looked at', async () => {
    const dir = await writeFiles(join(await newDir(), 'mine'), tinyFiles());
    expect(await verifyModel({ id: 'mine', dir })).toEqual({
      id: 'mine',
      dir,
      checked: 'structure',
      files: 0,
    });
  });

  it('finds a file that lost its end, and one that is gone', async () => {
    const path = await writeFiles(join(await newDir(), 'mine'), { ...tinyFiles(), 'README.md': 'Hello' });
    const { dir } = await importModel({ path, stores: [await newDir()] });
    await writeFile(join(dir, 'README.md'), 'He');
    await expect(verifyModel({ id: 'mine', dir })).rejects.toThrow(/README\.md has 2 bytes, but had 5/);
  });
});
