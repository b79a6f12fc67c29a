import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { afterEach, describe, expect, it } from 'vitest';
import { startArchiveServer, type ArchiveServer } from '../../asr/models/testing/archive-server.js';
import { scratchDirs } from '../../asr/models/testing/scratch-dir.js';
import {
  TINY_FOLDER,
  TINY_ID,
  tinyArchive,
  tinyEntry,
  tinyFiles,
  writeFiles,
} from '../../asr/models/testing/tiny-model.js';
import { registerModelsCommand, type ModelsCommandContext } from './models-command.js';

const newDir = scratchDirs();
const servers: ArchiveServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

class TextSink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(args: readonly string[], changes: Partial<ModelsCommandContext> & { store: string }) {
  const [stdout, stderr] = [new TextSink(), new TextSink()];
  const program = new Command();
  registerModelsCommand(program, {
    directories: [changes.store],
    stores: [changes.store],
    stdout,
    stderr,
    isTty: false,
    signal: new AbortController().signal,
    registry: [tinyEntry(undefined)],
    ...changes,
  });
  await program.parseAsync(['models', ...args], { from: 'user' });
  return { stdout: stdout.text, stderr: stderr.text };
}

async function mirrorWithTinyModel() {
  const content = await tinyArchive(await newDir());
  const server = await startArchiveServer({ content });
  servers.push(server);
  return { server, mirror: server.url, registry: [tinyEntry(content)] };
}

describe('models list', () => {
  it('is what "models" alone does, and shows registered, unknown and broken models', async () => {
    const store = await newDir();
    await writeFiles(join(store, TINY_FOLDER), tinyFiles());
    await writeFiles(join(store, 'mine'), { ...tinyFiles(), 'model.json': '{"languages":["br"]}' });
    await writeFiles(join(store, 'half'), { 'encoder.onnx': '' });
    const { stdout, stderr } = await run([], { store });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^MODEL +LANGUAGE +LICENCE +DOWNLOAD +INSTALLED$/);
    expect(lines[1]).toMatch(
      new RegExp(`^tiny +en +Apache-2\\.0 +\\? +${store}/${TINY_FOLDER} \\(0\\.0 MB\\)$`),
    );
    expect(lines[2]).toMatch(/^half +\? +\? +\? +BROKEN /);
    expect(lines[3]).toMatch(/^mine +br /);
    expect(stderr).toContain(store);
  });

  it('prints one JSON document with --json, and marks the default of the built-in registry', async () => {
    const store = await newDir();
    const { stdout } = await run(['list', '--json'], { store, registry: undefined });
    const document = JSON.parse(stdout) as {
      models: { id: string; isDefault: boolean; archiveBytes: number }[];
    };
    expect(document.models.filter((model) => model.isDefault)).toMatchObject([
      { id: 'zipformer-en-3.3m', archiveBytes: 17_626_723 },
    ]);
  });
});

describe('models pull', () => {
  it('installs, prints the folder, and writes percent lines where there is no terminal', async () => {
    const store = await newDir();
    const { mirror, registry } = await mirrorWithTinyModel();
    const { stdout, stderr } = await run(['pull', TINY_ID], { store, mirror, registry });
    expect(stdout).toBe(`${join(store, TINY_ID)}\n`);
    expect(stderr).toContain('tiny: downloading 100 % of');
    expect(stderr).toContain('tiny: unpacking');
    expect(stderr).not.toContain('\r');
  });

  it('draws one line again and again on a terminal', async () => {
    const store = await newDir();
    const { stderr } = await run(['pull', TINY_ID], { store, isTty: true, ...(await mirrorWithTinyModel()) });
    expect(stderr).toContain(`\r\x1b[Ktiny: downloading [${'#'.repeat(30)}] 100 %`);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });

  it('opens no connection for a model that is installed in any of the directories', async () => {
    const [store, other] = [await newDir(), await newDir()];
    const dir = await writeFiles(join(other, TINY_ID), tinyFiles());
    const { server, ...pulled } = await mirrorWithTinyModel();
    const { stdout, stderr } = await run(['pull', TINY_ID], {
      store,
      directories: [store, other],
      ...pulled,
    });
    expect(stdout).toBe(`${dir}\n`);
    expect(stderr).toContain('installed already');
    expect(server.requests).toEqual([]);
    expect(await readdir(store)).toEqual([]);
  });

  it('fails with the code that says why', async () => {
    const store = await newDir();
    await expect(run(['pull', TINY_ID], { store })).rejects.toMatchObject({ code: 'download_failed' });
    await expect(run(['pull', 'nonsense'], { store })).rejects.toMatchObject({ code: 'usage_unknown_model' });
  });
});

describe('what others wrote about a model', () => {
  it('is shown, and moves nothing on the terminal', async () => {
    const store = await newDir();
    const description = { title: '\x1b]0;owned\x07', languages: ['br\x1b[2J', '\u202Enb'] };
    await writeFiles(join(store, 'mine'), { ...tinyFiles(), 'model.json': JSON.stringify(description) });
    const [table, json] = [await run([], { store }), await run(['list', '--json'], { store })];
    for (const text of [table.stdout, table.stderr, json.stdout])
      expect(text).not.toMatch(/[^\P{Cc}\n]|\u202E/u);
    expect(table.stdout).toContain('br\\u001b[2J');
    const { models } = JSON.parse(json.stdout) as {
      models: { id: string; title: string; languages: string[] }[];
    };
    expect(models.find(({ id }) => id === 'mine')).toMatchObject(description);
  });
});

describe('models import and verify', () => {
  it('installs from a folder and finds it good, then finds the change in it', async () => {
    const store = await newDir();
    const path = await writeFiles(join(await newDir(), 'copy'), tinyFiles());
    const { stdout } = await run(['import', path, '--id', TINY_ID], { store });
    const dir = join(store, TINY_ID);
    expect(stdout).toBe(`${dir}\n`);
    expect((await run(['verify'], { store })).stdout).toBe(`tiny  ${dir}  good: 5 files as installed\n`);

    await writeFile(join(dir, 'tokens.txt'), '<blk> 0\n<unk> 1\n\u2581JELLO 2\n\u2581WORLD 3\n');
    await expect(run(['verify', TINY_ID], { store })).rejects.toMatchObject({ code: 'model_damaged' });
  });

  it('says so when another folder hides the model that was imported', async () => {
    const [first, store] = [await newDir(), await newDir()];
    await writeFiles(join(first, TINY_ID), tinyFiles());
    const path = await writeFiles(join(await newDir(), TINY_ID), tinyFiles());
    const { stderr } = await run(['import', path], { store, directories: [first, store] });
    expect(stderr).toContain(`${join(first, TINY_ID)} has a model of the same id`);
  });

  it('calls a model that is not there missing, and reports every broken one', async () => {
    const store = await newDir();
    await expect(run(['verify'], { store })).rejects.toMatchObject({ code: 'model_missing' });
    await expect(run(['verify', TINY_ID], { store })).rejects.toMatchObject({ code: 'model_missing' });
    await writeFiles(join(store, 'a'), { 'encoder.onnx': '' });
    await writeFiles(join(store, 'b'), { 'encoder.onnx': '' });
    await expect(run(['verify'], { store })).rejects.toThrow(/\/a .*\n.*\/b /);
  });
});
