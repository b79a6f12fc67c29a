import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findModel, findPunctuationModel, listInstalled, modelDirectories, modelStores } from './locate.js';
import { PUNCTUATION_MODEL_ID } from './registry.js';
import { scratchDirs } from './testing/scratch-dir.js';
import { TINY_FOLDER, TINY_ID, tinyEntry, tinyFiles, tinyOnnx, writeFiles } from './testing/tiny-model.js';

const newDir = scratchDirs();
const registry = [tinyEntry(undefined)];

describe('modelDirectories', () => {
  it('searches the configured folder, ./models, ../shared/models and the cache, in this order', () => {
    const places = { configuredDir: 'my-models', workingDir: '/srv/app', cacheDir: '/home/me/.cache' };
    expect(modelDirectories(places)).toEqual([
      '/srv/app/my-models',
      '/srv/app/models',
      '/srv/shared/models',
      '/home/me/.cache/caption-gateway/models',
    ]);
    expect(modelDirectories({ ...places, configuredDir: undefined })).toHaveLength(3);
  });

  it('installs into the configured folder, else the cache, and never into shared folders', () => {
    const places = { workingDir: '/srv/app', cacheDir: '/home/me/.cache' };
    expect(modelStores(places)).toEqual(['/home/me/.cache/caption-gateway/models']);
    expect(modelStores({ ...places, configuredDir: '/models' })[0]).toBe('/models');
  });
});

describe('findModel', () => {
  it('finds a registered model under its id or its official folder name', async () => {
    for (const name of [TINY_ID, TINY_FOLDER]) {
      const directory = await newDir();
      const dir = await writeFiles(join(directory, name), tinyFiles());
      const model = await findModel({ id: TINY_ID, directories: [directory], registry });
      expect(model).toEqual({
        kind: 'recogniser',
        id: TINY_ID,
        dir,
        title: 'Tiny',
        languages: ['en'],
        casing: 'upper',
        punctuates: false,
        precision: 'fp32',
        files: {
          encoder: join(dir, 'encoder-epoch-9-avg-1.onnx'),
          decoder: join(dir, 'decoder-epoch-9-avg-1.onnx'),
          joiner: join(dir, 'joiner-epoch-9-avg-1.onnx'),
          tokens: join(dir, 'tokens.txt'),
        },
      });
    }
  });

  it('gives the precision that was asked for', async () => {
    const directory = await newDir();
    await writeFiles(join(directory, TINY_ID), tinyFiles());
    const model = await findModel({ id: TINY_ID, directories: [directory], registry, precision: 'int8' });
    expect(model?.precision).toBe('int8');
    expect(model?.files.encoder).toContain('.int8.onnx');
  });

  it('uses a model that nobody registered, with its style read from tokens.txt', async () => {
    const directory = await newDir();
    await writeFiles(join(directory, 'my-model'), {
      ...tinyFiles(),
      'tokens.txt': '<blk> 0\n\u2581Bonjour 1\n. 2\n',
    });
    expect(await findModel({ id: 'my-model', directories: [directory] })).toMatchObject({
      id: 'my-model',
      title: 'my-model',
      languages: [],
      casing: 'mixed',
      punctuates: true,
      precision: 'int8',
    });
  });

  it('believes model.json about a model that nobody registered, and refuses a wrong one', async () => {
    const directory = await newDir();
    const dir = await writeFiles(join(directory, 'mine'), {
      ...tinyFiles(),
      'model.json': '{"title":"Mine","languages":["fr"],"casing":"lower"}',
    });
    expect(await findModel({ id: 'mine', directories: [directory] })).toMatchObject({
      title: 'Mine',
      languages: ['fr'],
      casing: 'lower',
    });
    await writeFile(join(dir, 'model.json'), '{"languages":"fr"}');
    await expect(findModel({ id: 'mine', directories: [directory] })).rejects.toMatchObject({
      code: 'model_damaged',
    });
  });

  it('gives undefined when no directory has it', async () => {
    const directories = [await newDir(), '/nowhere/at/all'];
    expect(await findModel({ id: TINY_ID, directories, registry })).toBeUndefined();
  });

  it('passes over a broken copy when a later directory has a good one', async () => {
    const [first, second] = [await newDir(), await newDir()];
    await writeFiles(join(first, TINY_ID), { 'tokens.txt': 'A 0\n' });
    await writeFiles(join(second, TINY_ID), tinyFiles());
    expect((await findModel({ id: TINY_ID, directories: [first, second], registry }))?.dir).toBe(
      join(second, TINY_ID),
    );
  });

  it.each([
    {
      what: 'lacks its joiner',
      name: 'joiner-epoch-9-avg-1.onnx',
      content: undefined,
      code: 'model_incomplete',
      says: /joiner\*\.onnx/,
    },
    {
      what: 'lacks its tokens',
      name: 'tokens.txt',
      content: undefined,
      code: 'model_incomplete',
      says: /tokens\.txt/,
    },
    {
      what: 'has an empty decoder',
      name: 'decoder-epoch-9-avg-1.onnx',
      content: '',
      code: 'model_incomplete',
      says: /decoder.*is empty/,
    },
    {
      what: 'has half an encoder',
      name: 'encoder-epoch-9-avg-1.onnx',
      content: tinyOnnx(3000).subarray(0, 999),
      code: 'model_damaged',
      says: /999/,
    },
    {
      what: 'has tokens that do not parse',
      name: 'tokens.txt',
      content: 'A\n',
      code: 'model_damaged',
      says: /tokens\.txt is damaged: line 1/,
    },
    {
      what: 'has a record that does not parse',
      name: 'install.json',
      content: '{',
      code: 'model_damaged',
      says: /install\.json/,
    },
  ])('says what is wrong with a model that $what, and what to do', async ({ name, content, code, says }) => {
    const directory = await newDir();
    const dir = await writeFiles(join(directory, TINY_ID), tinyFiles());
    await (content === undefined ? rm(join(dir, name)) : writeFile(join(dir, name), content));
    const found = findModel({ id: TINY_ID, directories: [directory], registry });
    await expect(found).rejects.toMatchObject({ code, message: expect.stringMatching(says) as string });
    await expect(found).rejects.toThrow(/models pull tiny.*models import DIR\|ARCHIVE --id tiny/);
  });

  it('refuses an id that would leave the folder', async () => {
    await expect(findModel({ id: '../secret', directories: [await newDir()] })).rejects.toMatchObject({
      code: 'usage_model_id',
    });
  });
});

describe('findPunctuationModel', () => {
  it('finds it, and findModel does not take it for a recogniser', async () => {
    const directory = await newDir();
    await writeFiles(join(directory, PUNCTUATION_MODEL_ID), {
      'model.onnx': tinyOnnx(),
      'model.int8.onnx': tinyOnnx(),
      'bpe.vocab': 'a\t0\n',
    });
    expect(await findPunctuationModel({ directories: [directory] })).toMatchObject({
      kind: 'punctuation',
      precision: 'int8',
      files: { bpeVocab: join(directory, PUNCTUATION_MODEL_ID, 'bpe.vocab') },
    });
    await expect(findModel({ id: PUNCTUATION_MODEL_ID, directories: [directory] })).rejects.toMatchObject({
      code: 'model_wrong_kind',
    });
  });
});

describe('listInstalled', () => {
  it('lists usable and broken models and passes over other folders', async () => {
    const directory = await newDir();
    await writeFiles(join(directory, TINY_FOLDER), tinyFiles());
    await writeFiles(join(directory, 'other'), { 'encoder.onnx': tinyOnnx() });
    await writeFiles(join(directory, 'holiday-pictures'), { 'beach.jpg': 'sand' });
    await mkdir(join(directory, '.work'));
    const listed = await listInstalled([directory, '/nowhere'], registry);
    expect(
      listed.map((model) => [model.state, model.state === 'usable' ? model.model.id : model.id]),
    ).toEqual([
      ['broken', 'other'],
      ['usable', TINY_ID],
    ]);
  });
});
