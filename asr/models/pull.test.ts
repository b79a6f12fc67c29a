import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readInstallRecord } from './install-record.js';
import { archiveUrl, ensureModel, pullModel, type PullOptions } from './pull.js';
import { MODEL_REGISTRY } from './registry.js';
import {
  startArchiveServer,
  type ArchiveServer,
  type ArchiveServerOptions,
} from './testing/archive-server.js';
import { scratchDirs } from './testing/scratch-dir.js';
import { TINY_BZIP2_ARCHIVE } from './testing/tiny-bzip2.js';
import {
  rawTar,
  sha256,
  TINY_FOLDER,
  TINY_ID,
  tinyArchive,
  tinyEntry,
  tinyFiles,
  writeFiles,
} from './testing/tiny-model.js';
import { verifyModel } from './verify.js';

const BUILT_MODELS = fileURLToPath(new URL('../../dist/asr/models/index.js', import.meta.url));

const newDir = scratchDirs();
const servers: ArchiveServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

interface Scene {
  readonly server: ArchiveServer;
  readonly store: string;
  readonly archive: Buffer;
  readonly options: PullOptions;
}

/** A mirror that has the tiny model's archive, and an empty store. */
async function scene(
  behaviour: Partial<ArchiveServerOptions> = {},
  changes: Partial<PullOptions> = {},
): Promise<Scene> {
  const archive = await tinyArchive(await newDir());
  const server = await startArchiveServer({ content: archive, ...behaviour });
  servers.push(server);
  const store = await newDir();
  const options: PullOptions = {
    id: TINY_ID,
    stores: [store],
    mirror: `${server.url}/models/`,
    registry: [tinyEntry(archive)],
    retryDelayMs: 1,
    onProgress: ({ phase, doneBytes }) => {
      if (phase === 'downloading') server.received(doneBytes);
    },
    ...changes,
  };
  return { server, store, archive, options };
}

/** Everything in a store, hidden things too. */
const contents = async (store: string): Promise<string[]> =>
  (await readdir(store, { recursive: true })).sort();

describe('pullModel', () => {
  it('installs a model that then passes every check, with a record of where it came from', async () => {
    const { server, store, archive, options } = await scene();
    const model = await pullModel(options);
    expect(model).toMatchObject({ id: TINY_ID, dir: join(store, TINY_ID), precision: 'fp32' });
    expect(await readInstallRecord(model.dir)).toMatchObject({
      id: TINY_ID,
      source: `${server.url}/models/${TINY_FOLDER}.tar.gz`,
      archive: { sizeBytes: archive.length, sha256: sha256(archive) },
    });
    expect(await verifyModel({ ...options, dir: model.dir })).toMatchObject({
      checked: 'checksums',
      files: Object.keys(tinyFiles()).length,
    });
    expect((await readdir(store)).sort()).toEqual(['.work', TINY_ID]);
    expect(await readdir(join(store, '.work'))).toEqual([]);
  });

  it('installs from .tar.bz2 and goes through downloading, checking and unpacking', async () => {
    const phases = new Set<string>();
    const { options } = await scene(
      { content: TINY_BZIP2_ARCHIVE },
      { registry: [tinyEntry(TINY_BZIP2_ARCHIVE)], onProgress: ({ phase }) => phases.add(phase) },
    );
    expect(await pullModel(options)).toMatchObject({ id: TINY_ID });
    expect([...phases]).toEqual(['downloading', 'checking', 'unpacking']);
  });

  it('records the checksum it saw where none is known', async () => {
    const { archive, options } = await scene({}, { registry: [tinyEntry(undefined)] });
    const model = await pullModel(options);
    expect((await readInstallRecord(model.dir))?.archive?.sha256).toBe(sha256(archive));
  });

  it('makes bpe.vocab out of bpe.model where only that was published', async () => {
    const piece = Buffer.from([0x0a, 3, 0x0a, 1, 0x41]);
    const archive = await tinyArchive(await newDir(), { ...tinyFiles(), 'bpe.model': piece });
    const { options } = await scene({ content: archive }, { registry: [tinyEntry(archive)] });
    const { files } = await pullModel(options);
    expect(await readFile(files.bpeVocab ?? '', 'utf8')).toBe('A\t0\n');
  });

  it('goes on with a broken download', async () => {
    const { server, options } = await scene({ cutAfterBytes: [100, 100] });
    await pullModel(options);
    expect(server.requests.map((headers) => headers.range)).toEqual([undefined, 'bytes=100-', 'bytes=200-']);
  });

  it('does nothing when the store has it already', async () => {
    const { server, options } = await scene();
    await pullModel(options);
    await pullModel(options);
    expect(server.requests).toHaveLength(1);
  });

  it('replaces one that is broken', async () => {
    const { store, options } = await scene();
    await writeFiles(join(store, TINY_ID), { 'tokens.txt': 'A 0\n', 'left-over': '' });
    const model = await pullModel(options);
    expect(await readdir(model.dir)).not.toContain('left-over');
  });

  it('refuses a wrong checksum before unpacking, and begins anew the next time', async () => {
    const { server, store, archive, options } = await scene();
    const other = Buffer.from(archive);
    other[other.length - 1] = 0xff ^ (other.at(-1) ?? 0);
    const phases: string[] = [];
    const wrong = pullModel({
      ...options,
      registry: [tinyEntry(other)],
      onProgress: ({ phase }) => phases.push(phase),
    });
    await expect(wrong).rejects.toMatchObject({
      code: 'archive_mismatch',
      message: expect.stringContaining(sha256(archive)) as string,
    });
    expect(phases).not.toContain('unpacking');
    expect(await contents(store)).toEqual(['.work']);
    await pullModel(options);
    expect(server.requests[1]?.range).toBeUndefined();
  });

  it('refuses a wrong size', async () => {
    const { archive, options } = await scene();
    const registry = [tinyEntry(Buffer.concat([archive, archive]))];
    await expect(pullModel({ ...options, registry })).rejects.toMatchObject({ code: 'archive_mismatch' });
  });

  it.each([
    ['climbs out', { path: '../evil', content: Buffer.from('!') }, 'archive_unsafe'],
    ['has a link', { path: 'm/link', type: 'SymbolicLink', linkpath: '/' }, 'archive_unsafe'],
    ['is no model', { path: 'm/README.md', content: Buffer.from('Hello') }, 'model_incomplete'],
  ] as const)('leaves nothing of an archive that %s', async (_, entry, code) => {
    const archive = rawTar([{ path: 'm/tokens.txt', content: Buffer.from('A 0\n') }, entry]);
    const { store, options } = await scene({ content: archive }, { registry: [tinyEntry(archive)] });
    await expect(pullModel(options)).rejects.toMatchObject({ code });
    expect(await contents(store)).toEqual(['.work']);
  });

  it('lets one of two work while the other waits and finds the model', async () => {
    const { server, options } = await scene();
    const phases: string[] = [];
    const onProgress: PullOptions['onProgress'] = ({ phase }) => phases.push(phase);
    const [first, second] = await Promise.all([
      pullModel({ ...options, onProgress }),
      pullModel({ ...options, onProgress }),
    ]);
    expect(first).toEqual(second);
    expect(server.requests).toHaveLength(1);
    expect(phases.filter((phase) => phase === 'waiting')).toHaveLength(1);
  });

  it('waits for another process no longer than it was told, or until the signal', async () => {
    const { store, options } = await scene();
    await mkdir(join(store, '.work', `${TINY_ID}.lock`), { recursive: true });
    await expect(pullModel({ ...options, lockWaitMs: 1 })).rejects.toMatchObject({
      code: 'model_locked',
      retryable: true,
    });
    const stop = new AbortController();
    const onProgress = (): void => stop.abort(new Error('enough'));
    await expect(pullModel({ ...options, signal: stop.signal, onProgress })).rejects.toThrow('enough');
  });

  it('leaves no half model when it is aborted, and keeps the download', async () => {
    const stop = new AbortController();
    const { store, options } = await scene(
      { stallAfterBytes: 100 },
      { signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) },
    );
    await expect(pullModel(options)).rejects.toThrow('enough');
    expect(await contents(store)).toEqual([
      '.work',
      `.work/${TINY_ID}`,
      `.work/${TINY_ID}/archive.part`,
      `.work/${TINY_ID}/archive.part.json`,
    ]);
  });

  it('leaves no half model when its process is killed, and the next pull goes on', async () => {
    const archive = await tinyArchive(await newDir());
    const stalling = await scene(
      { content: archive, stallAfterBytes: 100 },
      { registry: [tinyEntry(archive)] },
    );
    const { store, server } = stalling;
    const pull = spawn(process.execPath, ['--input-type=module', '--eval', KILLED_PULL], {
      env: { ...process.env, PULL: JSON.stringify({ module: BUILT_MODELS, options: stalling.options }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(pull.stdout, 'data');
    const partPath = join(store, '.work', TINY_ID, 'archive.part');
    await vi.waitFor(async () => expect((await stat(partPath)).size).toBe(100), { timeout: 10_000 });
    pull.kill('SIGKILL');
    await once(pull, 'exit');
    expect(await readdir(store)).toEqual(['.work']);

    await server.close();
    const healthy = await startArchiveServer({ content: archive });
    servers.push(healthy);
    // What a killed process leaves: a lock that grows old, and half a staging folder.
    const lockPath = join(store, '.work', `${TINY_ID}.lock`);
    await utimes(lockPath, new Date(0), new Date(0));
    await writeFiles(join(store, '.work', TINY_ID, 'staging', 'm'), { 'encoder.onnx': 'half' });
    const model = await pullModel({ ...stalling.options, mirror: healthy.url });
    expect(model.id).toBe(TINY_ID);
    expect(await readdir(join(store, '.work'))).toEqual([]);
  });

  it('installs into the first store that can be written', async () => {
    const { store, options } = await scene();
    const blocked = join(await newDir(), 'a-file');
    await writeFile(blocked, '');
    const model = await pullModel({ ...options, stores: [join(blocked, 'models'), store] });
    expect(model.dir).toBe(join(store, TINY_ID));
    await expect(pullModel({ ...options, stores: [blocked] })).rejects.toMatchObject({
      code: 'model_store_failed',
    });
  });

  it('refuses an id that it does not know, naming those that it knows', async () => {
    await expect(pullModel({ id: 'nonsense', stores: [await newDir()] })).rejects.toMatchObject({
      code: 'usage_unknown_model',
      message: expect.stringContaining(MODEL_REGISTRY[0]?.id ?? '') as string,
    });
  });
});

/** Pulls with the built code and says so on standard output once bytes arrive. */
const KILLED_PULL = `
  const { module, options } = JSON.parse(process.env.PULL);
  const { pullModel } = await import(module);
  await pullModel({ ...options, onProgress: () => console.log('receiving') });
`;

describe('archiveUrl', () => {
  const archive = { url: 'https://example.org/releases/download/tag/model.tar.bz2' };

  it('is the official address, or the file name on the mirror', () => {
    expect(archiveUrl(archive)).toBe(archive.url);
    expect(archiveUrl(archive, 'http://mirror.local/asr/')).toBe('http://mirror.local/asr/model.tar.bz2');
  });

  it.each(['mirror.local/asr', 'ftp://mirror.local', 'https://me:secret@mirror.local', ''])(
    'refuses "%s" for a mirror',
    (mirror) => {
      expect(() => archiveUrl(archive, mirror)).toThrow(
        expect.objectContaining({ code: 'usage_models_mirror' }) as Error,
      );
    },
  );
});

describe('ensureModel', () => {
  it('opens no connection when the model is there', async () => {
    const { server, options } = await scene();
    const directory = await newDir();
    await writeFiles(join(directory, TINY_ID), tinyFiles());
    const fetchSpy = vi.spyOn(globalThis, 'fetch');
    const model = await ensureModel({ ...options, directories: [directory] });
    expect(model.dir).toBe(join(directory, TINY_ID));
    expect(fetchSpy).not.toHaveBeenCalled();
    expect(server.requests).toEqual([]);
    fetchSpy.mockRestore();
  });

  it('pulls a model that is not there, once', async () => {
    const { server, store, options } = await scene();
    const ensure = { ...options, directories: [await newDir(), store] };
    expect((await ensureModel(ensure)).dir).toBe(join(store, TINY_ID));
    expect((await ensureModel(ensure)).dir).toBe(join(store, TINY_ID));
    expect(server.requests).toHaveLength(1);
  });

  it('names three ways to get a model that is neither there nor to be had', async () => {
    const { options, store } = await scene();
    const ensured = ensureModel({ ...options, mirror: undefined, directories: [store] });
    await expect(ensured).rejects.toMatchObject({ code: 'model_missing' });
    await expect(ensured).rejects.toThrow(/cannot be reached.*\n.*models pull tiny.*CAPTION_MODELS_MIRROR/s);
    await expect(ensured).rejects.toThrow(/models import DIR\|ARCHIVE.*CAPTION_MODELS_DIR/s);
  });

  it('does not try to download what nobody publishes', async () => {
    const { server, options } = await scene();
    await expect(ensureModel({ ...options, id: 'mine', directories: [] })).rejects.toMatchObject({
      code: 'model_missing',
    });
    expect(server.requests).toEqual([]);
  });

  it('says that a model is broken instead of fetching another behind its back', async () => {
    const { server, store, options } = await scene();
    const { dir } = await pullModel(options);
    await rm(join(dir, 'tokens.txt'));
    await expect(ensureModel({ ...options, directories: [store] })).rejects.toMatchObject({
      code: 'model_incomplete',
    });
    expect(server.requests).toHaveLength(1);
  });
});
