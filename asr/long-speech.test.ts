import { afterAll, beforeAll, expect, it } from 'vitest';
import { msToSamples, sampleIndex } from '../protocol/index.js';
import { ChildEngine } from './child-engine.js';
import type { AsrEvent } from './engine.js';
import { alignWords, normaliseWords } from './scoring/index.js';
import { wordsOf } from './stream/words.js';
import { RecogniserPool } from './supervisor/recogniser-pool.js';
import { type Clip, joinPcm, ownSpeech } from './testing/clips.js';
import { breachesOf, finalsOf, finalWords, gapsOf, recognise } from './testing/drive-stream.js';
import { REAL_CHILD } from './testing/misbehaviour.js';
import { describeWithModel } from './testing/real-model.js';

/** Words this near to a seam are where a cut could do harm. */
const NEAR_WORDS = 2;

/** Somebody who never pauses: what is longer than 60 ms between two words is left out. */
function withoutPauses({ pcm, words }: Clip): Int16Array {
  const atSample = (seconds: number): number => msToSamples(seconds * 1000);
  const parts: Int16Array[] = [];
  let from = 0;
  words.forEach(([, , end], index) => {
    const next = words[index + 1];
    if (next === undefined || next[1] - end <= 0.06) return;
    parts.push(pcm.subarray(from, atSample(end + 0.03)));
    from = atSample(next[1] - 0.03);
  });
  return joinPcm([...parts, pcm.subarray(from)]);
}

describeWithModel('speech without end', (model) => {
  let engine: ChildEngine;
  let pool: RecogniserPool;
  let monologue: Clip;

  beforeAll(async () => {
    const { encoder, decoder, joiner, tokens } = model.files;
    pool = new RecogniserPool({
      entry: REAL_CHILD,
      children: 1,
      recogniser: { engine: 'sherpa', encoder, decoder, joiner, tokens, threads: 1, changedWordsAllowed: 0 },
    });
    [engine] = await Promise.all([ChildEngine.start({ model, children: 1 }), pool.start()]);
    monologue = (await ownSpeech('monologue-01'))[0]!;
  });
  afterAll(async () => {
    await Promise.all([engine.close(), pool.close()]);
  });

  /** All of it as one utterance. */
  const recogniseUncut = (pcm: Int16Array): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const utterance = pool.openUtterance(sampleIndex(0), {
        hypothesis: (hypothesis) => {
          if (hypothesis.isFinal) resolve(wordsOf(hypothesis).flatMap(({ text }) => normaliseWords(text)));
        },
        failed: () => reject(new Error('not recognised')),
      });
      utterance.append(pcm);
      utterance.finish();
    });

  /** Words lost or doubled near the seams between segments. */
  function harmAtSeams(uncut: readonly string[], events: readonly AsrEvent[]): string[] {
    const cut = finalWords(events);
    let count = 0;
    const seams = finalsOf(events).map((final) => {
      count += final.words.flatMap(({ text }) => normaliseWords(text)).length;
      return count;
    });
    const harm: string[] = [];
    let at = 0;
    for (const op of alignWords(uncut, cut)) {
      at = op.hypothesisIndex ?? at;
      const isNear = seams.slice(0, -1).some((seam) => Math.abs(seam - at) <= NEAR_WORDS);
      if (isNear && op.kind === 'insertion') harm.push(`doubled: ${cut.slice(at - 3, at + 4).join(' ')}`);
      if (isNear && op.kind === 'deletion')
        harm.push(`lost: ${uncut[op.referenceIndex]} in ${cut.slice(at - 3, at + 4).join(' ')}`);
    }
    return harm;
  }

  it.each([
    ['with pauses for breath', (clip: Clip) => clip.pcm],
    ['without any pause', withoutPauses],
  ])(
    'is cut into segments of at most 21 s, and no word is lost or doubled at a cut (%s)',
    async (_what, audioOf) => {
      const pcm = audioOf(monologue);
      const [events, uncut] = await Promise.all([recognise(engine.openStream(), pcm), recogniseUncut(pcm)]);
      const finals = finalsOf(events);
      expect(finals.length).toBeGreaterThanOrEqual(3);
      for (const { words } of finals) {
        expect(words.at(-1)!.endSample - words[0]!.startSample).toBeLessThan(msToSamples(21_000));
      }
      expect(harmAtSeams(uncut, events)).toEqual([]);
      const changed = alignWords(uncut, finalWords(events)).filter(({ kind }) => kind !== 'match').length;
      expect(changed / uncut.length).toBeLessThan(0.12);
      expect(breachesOf(events)).toEqual([]);
      expect(gapsOf(events)).toEqual([]);
    },
  );
});
