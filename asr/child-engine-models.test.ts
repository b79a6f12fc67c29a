import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChildEngine } from './child-engine.js';
import type { EngineChoice } from './child/messages.js';
import { scratchDirs } from './models/testing/scratch-dir.js';
import type { ChildReady } from './supervisor/supervised-child.js';
import { normaliseWords, wordErrorRate } from './scoring/index.js';
import { ownSpeech } from './testing/clips.js';
import { finalWords, recognise } from './testing/drive-stream.js';
import { describeWithModel } from './testing/real-model.js';

const newDir = scratchDirs();

type Edit = (bytes: Buffer) => Buffer;
type Edits = Partial<Record<'encoder' | 'decoder' | 'joiner' | 'tokens', Edit>>;

const nothing: Edit = () => Buffer.alloc(0);
const cutTo =
  (share: number): Edit =>
  (bytes) =>
    bytes.subarray(0, Math.floor(bytes.length * share));
/** Every occurrence; the texts are equally long, so that all lengths in the file stay right. */
const replaced =
  (text: string, by: string): Edit =>
  (bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll(text, by), 'latin1');
/** The outside stays whole. */
const overwrittenInside: Edit = (bytes) => Buffer.from(bytes).fill(0xff, 600, 1600);

describeWithModel('ChildEngine and what is in the files of its model', (model) => {
  /** The engine, or what it says instead of starting. */
  async function startWith(edits: Edits, engine: EngineChoice = 'auto') {
    const dir = await newDir();
    const files = { ...model.files };
    for (const [name, edit] of Object.entries(edits) as [keyof Edits, Edit][]) {
      files[name] = join(dir, name);
      await writeFile(files[name], edit(await readFile(model.files[name])));
    }
    const readies: ChildReady[] = [];
    const started = await ChildEngine.start({
      model: { ...model, files },
      children: 1,
      engine,
      observer: { childReady: (info) => readies.push(info) },
      supervision: { backoff: { firstDelayMs: 5, maxDelayMs: 20, healthyAfterMs: 30_000 } },
    }).catch((error: unknown) => error);
    return { started, readies };
  }

  describe.each<EngineChoice>(['auto', 'sherpa'])('with engine %s', (engine) => {
    it.each<[string, Edits, string]>([
      ['an empty encoder', { encoder: nothing }, 'is empty'],
      ['an empty decoder', { decoder: nothing }, 'is empty'],
      ['an empty joiner', { joiner: nothing }, 'is empty'],
      ['half an encoder', { encoder: cutTo(0.5) }, 'should have at least'],
      ['nearly all of a decoder', { decoder: cutTo(0.99) }, 'should have at least'],
      ['a tenth of a joiner', { joiner: cutTo(0.1) }, 'should have at least'],
      ['too few tokens', { tokens: replaced('Q 499\n', '') }, 'they do not belong together'],
      ['half a line of tokens', { tokens: replaced('Q 499\n', 'Q\n') }, 'line 500'],
      ['a token twice', { tokens: replaced('Q 499\n', 'Q 498\n') }, 'a second time'],
      ['no tokens', { tokens: nothing }, 'no tokens'],
    ])('refuses to start with %s, at once and with the reason', async (_, edits, reason) => {
      const { started, readies } = await startWith(edits, engine);
      expect(started).toMatchObject({ code: 'recogniser_refused' });
      expect(String(started)).toContain(reason);
      expect(readies).toEqual([]);
    });
  });

  it.each<[string, Edits, string]>([
    ['weights that are no protobuf', { encoder: overwrittenInside }, 'Protobuf parsing failed'],
    ['an operation that nobody knows', { decoder: replaced('Gather', 'Gothar') }, 'Gothar'],
    ['another kind of model', { encoder: replaced('zipformer2', 'zipformerX') }, 'zipformerX'],
    ['tokens without a blank', { tokens: replaced('<blk>', '<abc>') }, '<abc>'],
  ])('our own engine refuses %s, at once and with the reason', async (_, edits, reason) => {
    const { started } = await startWith(edits, 'zipformer');
    expect(started).toMatchObject({ code: 'recogniser_refused' });
    expect(String(started)).toContain(reason);
  });

  it('leaves a model that it cannot run to sherpa-onnx, and says why', async () => {
    const { started, readies } = await startWith({ tokens: replaced('<blk>', '<abc>') });
    if (!(started instanceof ChildEngine)) throw started;
    expect(readies).toMatchObject([
      { engine: 'sherpa', refusal: expect.stringContaining('<abc>') as string },
    ]);
    const [clip] = await ownSpeech('short');
    const heard = finalWords(await recognise(started.openStream(), clip!.pcm));
    expect(wordErrorRate(normaliseWords(clip!.text), heard).rate).toBeLessThan(0.2);
    expect((await started.unfavoured(['La Suite']))?.phrases).toEqual(['La Suite']);
    await started.close();
  });

  it('gives up on a model that neither engine runs, with the reason of both', async () => {
    const { started, readies } = await startWith({ decoder: replaced('Gather', 'Gothar') });
    expect(started).toMatchObject({ code: 'recogniser_start_failed' });
    expect(String(started)).toContain('Gothar');
    expect(readies).toEqual([]);
  });

  it('refuses to start when a file is missing', async () => {
    const files = { ...model.files, decoder: join(await newDir(), 'missing.onnx') };
    const error = await ChildEngine.start({ model: { ...model, files }, children: 1 }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'recogniser_refused' });
    expect(String(error)).toContain('missing.onnx');
  });

  it('gives up on the files of two models mixed up', async () => {
    const path = join(await newDir(), 'encoder.onnx');
    await copyFile(model.files.joiner, path);
    const files = { ...model.files, encoder: path };
    const error = await ChildEngine.start({ model: { ...model, files }, children: 1 }).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'recogniser_start_failed' });
    expect(String(error)).toContain('model');
  });
});
