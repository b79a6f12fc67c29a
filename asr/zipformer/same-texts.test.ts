import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { msToSamples } from '../../protocol/index.js';
import { toFloat32 } from '../audio/audio-frame.js';
import { type Clip, ownSpeech, realSpeech } from '../testing/clips.js';
import { describeWithModel } from '../testing/real-model.js';
import type { Token } from '../token.js';
import { ZipformerRecogniser } from './zipformer-recogniser.js';
import type { ZipformerStream } from './zipformer-stream.js';

const CLIPS = ['sense-0880', 'spk1_snt1', 'spk2_snt3', 'LJ001-0002'];
const LONGEST_SAMPLES = msToSamples(6000);
/** A phrase that is in one of the clips, for streams that are searched with a beam. */
const PHRASES = ['ill disposed', 'a young man'];

/** What is said and where; probabilities differ in their last digits from batch to batch. */
const textsOf = (tokens: readonly Token[]): unknown[] => tokens.map(({ text, atSample }) => [text, atSample]);

/** How one stream is driven: where its audio comes from, in which pieces, and with which phrases. */
const streamPlan = fc.record({
  clip: fc.nat(CLIPS.length - 1),
  pieces: fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 8 }),
  hasPhrases: fc.boolean(),
});
/** What happens next: pieces are fed, some of the ready streams are decoded, some are looked at early, or both in one call. */
const step = fc.record({
  kind: fc.constantFrom('feed' as const, 'decode' as const, 'look' as const, 'both' as const),
  chosen: fc.nat(255),
  slackFrames: fc.integer({ min: 1, max: 20 }),
});

interface Driven {
  readonly plan: { clip: number; pieces: number[]; hasPhrases: boolean };
  readonly stream: ZipformerStream;
  fed: number;
  turn: number;
}

describeWithModel('Our own engine with weights that are not quantised', ({ dir, files }) => {
  const encoder = join(dir, 'encoder.fp32.onnx');
  if (!existsSync(encoder)) {
    const reason = `SKIPPED: the model in ${dir} has no encoder.fp32.onnx`;
    it('needs encoder.fp32.onnx', (context) => {
      if (process.env['CI'] !== undefined) throw new Error(reason);
      process.stderr.write(`${reason}\n`);
      context.skip(reason);
    });
    return;
  }
  let recogniser: ZipformerRecogniser;
  let clips: Float32Array[];
  /** By clip, without and with phrases. */
  let expected: Record<'plain' | 'favoured', unknown[][]>;

  beforeAll(async () => {
    recogniser = await ZipformerRecogniser.create({ files: { ...files, encoder }, threads: 1 });
    const real = await Promise.all(CLIPS.map(realSpeech));
    const found: Clip[] = real.filter((clip) => clip !== undefined);
    const used = found.length === CLIPS.length ? found : (await ownSpeech('')).slice(0, CLIPS.length);
    clips = used.map(({ pcm }) => toFloat32(pcm.subarray(0, LONGEST_SAMPLES)));
    expected = { plain: [], favoured: [] };
    for (const clip of clips) {
      expected.plain.push(await alone(clip, []));
      expected.favoured.push(await alone(clip, PHRASES));
    }
    expect(expected.plain.flat().length).toBeGreaterThan(50);
  });
  afterAll(() => recogniser.close());

  const opened = (phrases: readonly string[]): ZipformerStream =>
    recogniser.open(0, phrases.length === 0 ? [] : [{ fromSample: 0, phrases }]);

  async function alone(clip: Float32Array, phrases: readonly string[]): Promise<unknown[]> {
    const stream = opened(phrases);
    stream.accept(clip);
    stream.finish();
    while (stream.isReady()) await recogniser.decode([stream]);
    return textsOf(stream.tokens());
  }

  function feed(driven: Driven): void {
    const clip = clips[driven.plan.clip] ?? new Float32Array(0);
    const size = driven.plan.pieces[driven.turn++ % driven.plan.pieces.length] ?? clip.length;
    if (driven.fed < clip.length) driven.stream.accept(clip.subarray(driven.fed, driven.fed + size));
    else driven.stream.finish();
    driven.fed += size;
  }

  it('says the same whatever the pieces, the batches and the looks ahead', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(streamPlan, { minLength: 1, maxLength: 6 }),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (plans, steps) => {
          const all: Driven[] = plans.map((plan) => ({
            plan,
            stream: opened(plan.hasPhrases ? PHRASES : []),
            fed: 0,
            turn: 0,
          }));
          const isDone = ({ plan, fed, stream }: Driven): boolean =>
            fed > (clips[plan.clip]?.length ?? 0) + Math.max(...plan.pieces) && !stream.isReady();
          for (let at = 0; !all.every(isDone); at++) {
            const { kind, chosen, slackFrames } = steps[at % steps.length]!;
            const some = all.filter((_, index) => (chosen >> index) % 2 === 1);
            // Whatever is drawn, it comes to an end.
            if (kind === 'feed' || at % 7 === 0) for (const driven of all) feed(driven);
            const ready = (at % 5 === 0 ? all : some).map(({ stream }) => stream).filter((s) => s.isReady());
            const looks = some.map(({ stream }) => stream).filter((s) => s.speculableSamples(0) > 0);
            const isDecoding = kind === 'decode' || kind === 'both' || at % 5 === 0;
            const isLooking = kind === 'look' || kind === 'both';
            await recogniser.decode(isDecoding ? ready : [], {
              streams: isLooking ? looks : [],
              slackFrames,
            });
          }
          for (const { plan, stream } of all) {
            const side = plan.hasPhrases ? expected.favoured : expected.plain;
            expect(textsOf(stream.tokens())).toEqual(side[plan.clip]);
            expect(stream.provisional()).toEqual([]);
          }
        },
      ),
      { numRuns: 8, seed: 20_261_125, endOnFailure: true },
    );
  }, 180_000);

  describe('and samples that are no numbers', () => {
    it.each([NaN, Infinity, -Infinity])(
      'refuses %s in one stream, and its neighbour goes on',
      async (wrong) => {
        const [clip] = clips;
        const [broken, whole] = [opened([]), opened([])];
        broken.accept(clip!.subarray(0, 20_000));
        whole.accept(clip!);
        whole.finish();
        await recogniser.decode([broken, whole]);
        const said = textsOf(broken.tokens());
        expect(() => broken.accept(Float32Array.of(0, wrong, 0))).toThrow(/finite/);
        while (whole.isReady()) await recogniser.decode([whole]);
        expect(textsOf(whole.tokens())).toEqual(expected.plain[0]);
        expect(textsOf(broken.tokens())).toEqual(said);
      },
    );
  });
});
