import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { VocabularyCheck } from './vocabulary-check.js';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function checkWith({
  tokens = '<blk> 0\n▁ 1\nA 2\n',
  silenceMs = 30_000,
} = {}): Promise<VocabularyCheck> {
  const dir = await mkdtemp(join(tmpdir(), 'vocabulary-check-'));
  opened.push(() => rm(dir, { recursive: true }));
  const files = { tokens: join(dir, 'tokens.txt'), bpeVocab: join(dir, 'bpe.vocab') };
  await writeFile(files.tokens, tokens);
  await writeFile(files.bpeVocab, '▁\t-1.5\nA\t-2.5\n');
  const check = new VocabularyCheck({ files, silenceMs });
  opened.push(() => check.close());
  return check;
}

describe('VocabularyCheck', () => {
  it('names the phrases that the model cannot write', async () => {
    const check = await checkWith();
    const answers = await Promise.all([
      check.unfavoured(['A', 'B'], 'zipformer'),
      check.unfavoured(['a a'], 'zipformer'),
      check.unfavoured([], 'zipformer'),
    ]);
    expect(answers.map((answer) => answer?.phrases)).toEqual([['B'], undefined, undefined]);
    expect(answers[0]?.error).toMatchObject({
      code: 'vocabulary_not_favoured',
      message: expect.stringContaining('"B"') as string,
    });
  });

  it('lets this thread go on while it looks', async () => {
    const check = await checkWith();
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    const answer = await check.unfavoured(Array<string>(100_000).fill('A'.repeat(100)), 'zipformer');
    clearInterval(turning);
    expect(answer).toBeUndefined();
    expect(turns).toBeGreaterThan(2);
  });

  it('answers again after its thread has ended for want of work', async () => {
    const check = await checkWith({ silenceMs: 1 });
    for (let round = 0; round < 3; round += 1) {
      // A deadline so short may also come before the answer, which is then none.
      const answer = await check.unfavoured(['B'], 'zipformer');
      expect([['B'], undefined]).toContainEqual(answer?.phrases);
    }
  });

  it('says nothing where the files cannot be read: the recogniser refuses them', async () => {
    const check = await checkWith({ tokens: 'no tokens' });
    expect(await check.unfavoured(['B'], 'zipformer')).toBeUndefined();
    expect(await check.unfavoured(['B'], 'zipformer')).toBeUndefined();
  });

  it('gives no answer once it is closed', async () => {
    const check = await checkWith();
    const waiting = check.unfavoured(['B'], 'zipformer');
    await check.close();
    expect(await waiting).toBeUndefined();
    expect(await check.unfavoured(['B'], 'zipformer')).toBeUndefined();
  });
});
