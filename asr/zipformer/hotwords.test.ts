import { afterAll, expect, it } from 'vitest';
import { toFloat32 } from '../audio/audio-frame.js';
import type { BatchRecogniser, RecogniserStream } from '../child/batch-recogniser.js';
import { createSherpaRecogniser } from '../child/sherpa/sherpa-recogniser.js';
import { normaliseWords, textAgreement } from '../scoring/index.js';
import { wordsOf } from '../stream/words.js';
import { ownSpeech, realSpeech } from '../testing/clips.js';
import { describeWithModel } from '../testing/real-model.js';
import { ZipformerRecogniser } from './zipformer-recogniser.js';

const NO_SPEECH = 'SKIPPED: no real speech beside the checkout';
const AGREEMENT_CLIPS = ['sense-0880', 'libri-1089-0', 'spk1_snt1', 'spk2_snt3', 'LJ001-0002', 'jfk', 'bria'];

async function decodeAll(recogniser: BatchRecogniser, streams: readonly RecogniserStream[]): Promise<void> {
  for (let ready = streams; ready.length > 0;) {
    ready = streams.filter((stream) => stream.isReady());
    if (ready.length > 0) await recogniser.decode(ready);
  }
}

const textOf = (stream: RecogniserStream): string =>
  stream
    .tokens()
    .map(({ text }) => text)
    .join('')
    .trim();

describeWithModel('Hotwords with the real model', ({ files }) => {
  const recogniser = ZipformerRecogniser.create({ files, threads: 1 });
  afterAll(async () => (await recogniser).close());

  it.for<[string, string, RegExp, RegExp]>([
    ['sense-0880', 'ill disposed', /\bILL DISPOSED\b/, /\bOLD DISPOSED\b/],
    ['libri-1089-0', 'Brothels', /\bBROTHELS\b/, /\bBRAFFELS\b/],
  ])(
    'clip %s: hears "%s" in a stream with it, and its batch neighbour does not',
    async ([id, phrase, right, wrong], context) => {
      const clip = await realSpeech(id);
      if (clip === undefined) return context.skip(NO_SPEECH);
      const zipformer = await recogniser;
      const streams = [zipformer.open(0, [{ fromSample: 0, phrases: [phrase] }]), zipformer.open(0)];
      for (const stream of streams) {
        stream.accept(toFloat32(clip.pcm));
        stream.finish();
      }
      await decodeAll(zipformer, streams);
      const [favoured, plain] = streams.map(textOf);
      expect(favoured).toMatch(right);
      expect(plain).toMatch(wrong);
      expect(streams.map((stream) => stream.provisional())).toEqual([[], []]);
    },
  );

  it('favours a vocabulary that comes while the stream runs', async (context) => {
    const clip = await realSpeech('libri-1089-0');
    if (clip === undefined) return context.skip(NO_SPEECH);
    const zipformer = await recogniser;
    const stream = zipformer.open(0);
    stream.accept(toFloat32(clip.pcm.subarray(0, clip.pcm.length / 2)));
    await decodeAll(zipformer, [stream]);
    const before = stream.tokens().map(({ text }) => text);
    expect(before.length).toBeGreaterThan(5);
    const change = { fromSample: Math.floor(clip.pcm.length / 2), phrases: ['brothels'] };
    zipformer.setVocabulary(stream, change);
    stream.accept(toFloat32(clip.pcm.subarray(clip.pcm.length / 2)));
    stream.finish();
    await decodeAll(zipformer, [stream]);
    // All at once, as after a crash.
    const replayed = zipformer.open(0, [change]);
    replayed.accept(toFloat32(clip.pcm));
    replayed.finish();
    await decodeAll(zipformer, [replayed]);
    expect(replayed.tokens()).toEqual(stream.tokens());
    expect(
      stream
        .tokens()
        .map(({ text }) => text)
        .slice(0, before.length),
    ).toEqual(before);
    expect(textOf(stream)).toMatch(/\bBROTHELS\b/);
  });

  it('gives words a confidence between 0 and 1 with either search, lower where it is wrong', async (context) => {
    const clip = await realSpeech('libri-1089-0');
    if (clip === undefined) return context.skip(NO_SPEECH);
    const zipformer = await recogniser;
    for (const phrases of [[], ['Kubernetes']]) {
      const stream = zipformer.open(0, [{ fromSample: 0, phrases }]);
      stream.accept(toFloat32(clip.pcm));
      stream.finish();
      await decodeAll(zipformer, [stream]);
      const words = wordsOf({ committed: stream.tokens(), provisional: [] });
      for (const { confidence } of words) {
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThanOrEqual(1);
      }
      const said = new Set(normaliseWords(clip.text));
      const isSaid = words.map(({ text }) => said.has(text.toLowerCase()));
      const mean = (ofSaid: boolean): number => {
        const values = words
          .filter((_, at) => isSaid[at] === ofSaid)
          .map(({ confidence = NaN }) => confidence);
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      };
      expect(mean(false)).toBeLessThan(mean(true));
    }
  });
});

describeWithModel('Greedy search and sherpa-onnx', ({ files }) => {
  it('write the same, within half a point of word error rate either way, with the same probabilities', async () => {
    const real = await Promise.all(AGREEMENT_CLIPS.map(realSpeech));
    const found = real.filter((clip) => clip !== undefined);
    const clips = found.length > 0 ? found : (await ownSpeech('')).slice(0, 5);
    const zipformer = await ZipformerRecogniser.create({ files, threads: 1 });
    const sherpa = createSherpaRecogniser({ ...files, engine: 'sherpa', threads: 1, changedWordsAllowed: 0 });
    const texts: [string[], string[]] = [[], []];
    let compared = 0;
    for (const { pcm } of clips) {
      const tokens = [];
      for (const [side, engine] of [zipformer, sherpa].entries()) {
        const stream = engine.open(0);
        stream.accept(toFloat32(pcm));
        stream.finish();
        await decodeAll(engine, [stream]);
        tokens.push(stream.tokens());
        texts[side]?.push(textOf(stream));
      }
      const [ours = [], theirs = []] = tokens;
      if (ours.map(({ text }) => text).join() !== theirs.map(({ text }) => text).join()) continue;
      for (const [index, token] of ours.entries()) {
        const other = theirs[index];
        // A token that both engines find, but a frame apart, has another probability.
        if (other?.atSample !== token.atSample) continue;
        compared += 1;
        expect(Math.abs(token.logProbability! - other.logProbability!)).toBeLessThan(0.1);
      }
    }
    const agreement = textAgreement(...texts);
    expect(compared).toBeGreaterThan(50);
    expect(agreement.firstAgainstSecond).toBeLessThanOrEqual(0.005);
    expect(agreement.secondAgainstFirst).toBeLessThanOrEqual(0.005);
    await zipformer.close();
  });
});
