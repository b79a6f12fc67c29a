import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { msToSamples, sampleIndex } from '../protocol/index.js';
import { ChildEngine } from './child-engine.js';
import type { AsrEvent, AsrStream } from './engine.js';
import { monotonicNow } from './monotonic-clock.js';
import { alignWords, normaliseWords } from './scoring/index.js';
import { type Clip, joinPcm, nonSpeech, ownSpeech, realSpeech, silence } from './testing/clips.js';
import {
  breachesOf,
  feed,
  finalsOf,
  finalWords,
  gapsOf,
  readAll,
  recognise,
  segmentsOf,
} from './testing/drive-stream.js';
import { isRunning } from './testing/processes.js';
import { describeWithModel } from './testing/real-model.js';

function wordErrorRate(reference: readonly string[], hypothesis: readonly string[]): number {
  return alignWords(reference, hypothesis).filter(({ kind }) => kind !== 'match').length / reference.length;
}

function pushAll(stream: AsrStream, pcm: Int16Array, firstSample = 0): void {
  stream.push({ pcm, firstSample: sampleIndex(firstSample), receivedAtMs: monotonicNow() });
}

/** In the manner of `feed`, and without waiting for anything. */
const pushAllAt: typeof feed = (stream, pcm, options) => {
  pushAll(stream, pcm, options?.firstSample);
  return Promise.resolve();
};

describeWithModel('ChildEngine', (model) => {
  let engine: ChildEngine;
  let clips: Clip[];
  const gateFailures: unknown[] = [];
  beforeAll(async () => {
    engine = await ChildEngine.start({ model, children: 1, gateFailed: (error) => gateFailures.push(error) });
    clips = await ownSpeech('short');
  });
  afterAll(async () => {
    const pids = engine.childPids;
    await engine.close();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(gateFailures).toEqual([]);
  });

  it('recognises what is said in a meeting, each word where it was said', async () => {
    const tracks = await Promise.all(clips.map(({ pcm }) => recognise(engine.openStream(), pcm)));
    const said = clips.flatMap(({ text }) => normaliseWords(text));
    expect(wordErrorRate(said, tracks.flatMap(finalWords))).toBeLessThan(0.15);
    for (const [index, events] of tracks.entries()) {
      expect(breachesOf(events)).toEqual([]);
      expect(gapsOf(events)).toEqual([]);
      const words = finalsOf(events).flatMap((final) => final.words);
      for (const word of words) {
        expect(word.confidence).toBeGreaterThan(0);
        expect(word.endSample).toBeLessThanOrEqual(clips[index]!.pcm.length);
      }
      const first = clips[index]!.words[0]!;
      expect(Math.abs(words[0]!.startSample - msToSamples(first[1] * 1000))).toBeLessThan(msToSamples(400));
    }
  });

  it.for<[string, string, RegExp]>([
    ['sense-0880', 'ill disposed', /\bill disposed\b/],
    ['libri-1089-0', 'Brothels', /\bBrothels\b/],
  ])(
    'clip %s: favours "%s" for the speaker it was given for and for nobody else',
    async ([id, phrase, written], context) => {
      const clip = await realSpeech(id);
      if (clip === undefined) return context.skip('SKIPPED: no real speech beside the checkout');
      const half = Math.floor(clip.pcm.length / 2);
      // Both phrases come in the second half.
      const textWith = async (stream: AsrStream, later: readonly string[]): Promise<string> => {
        const events = readAll(stream);
        await feed(stream, clip.pcm.subarray(0, half));
        if (later.length > 0) stream.setVocabulary(later);
        await feed(stream, clip.pcm.subarray(half), { firstSample: half });
        await stream.close();
        return finalsOf(await events)
          .flatMap(({ words }) => words.map(({ text }) => text))
          .join(' ');
      };
      const texts = await Promise.all([
        textWith(engine.openStream({ vocabulary: [phrase] }), []),
        textWith(engine.openStream(), []),
        textWith(engine.openStream(), [phrase]),
      ]);
      expect(texts.map((text) => written.test(text))).toEqual([true, false, true]);
    },
  );

  it('tells which phrases recognition cannot favour, and why', async () => {
    expect(await engine.unfavoured(['Brothels', 'La Suite'])).toBeUndefined();
    expect(await engine.unfavoured(['Brothels', '日本', 'B2'])).toMatchObject({
      phrases: ['日本', 'B2'],
      error: { code: 'vocabulary_not_favoured', message: expect.stringContaining('"日本", "B2"') as string },
    });
  });

  it('recognises real speech', async (context) => {
    const clip = await realSpeech('libri-1089-1');
    if (clip === undefined) return context.skip('SKIPPED: no real speech beside the checkout');
    const events = await recognise(engine.openStream(), clip.pcm);
    expect(wordErrorRate(normaliseWords(clip.text), finalWords(events))).toBeLessThan(0.15);
    expect(breachesOf(events)).toEqual([]);
  });

  it('shows words while they are spoken, long before the sentence is over', async () => {
    const events = await recognise(engine.openStream(), clips[1]!.pcm);
    const half = segmentsOf(events).find(({ words }) => words.length >= 4);
    expect(half?.isFinal).toBe(false);
    expect(half?.decodedThroughSample).toBeLessThan(clips[1]!.pcm.length / 2);
  });

  it('says nothing to silence and sounds that are no speech', async () => {
    const quiet = await recognise(engine.openStream(), silence(5000));
    expect(quiet).toEqual([]);
    const heard = await Promise.all(
      (await nonSpeech()).map(({ pcm }) => recognise(engine.openStream(), pcm)),
    );
    expect(heard.flatMap(finalWords).length).toBeLessThanOrEqual(3);
    const own = await Promise.all(
      (await nonSpeech()).slice(0, 4).map(({ pcm }) => recognise(engine.openStream(), pcm)),
    );
    expect(own.flatMap(segmentsOf)).toEqual([]);
  });

  it('tells exactly the same twice', async () => {
    const pcm = joinPcm(clips.flatMap((clip) => [clip.pcm, silence(700)]));
    const first = await recognise(engine.openStream(), pcm);
    const second = await recognise(engine.openStream(), pcm);
    // Which streams share a call is chance, and with it the last digits of a confidence; viewers are told two.
    const finals = (events: readonly AsrEvent[]): unknown =>
      finalsOf(events).map((final) => ({
        ...final,
        words: final.words.map(({ confidence = 0, ...word }) => ({
          ...word,
          confidence: Math.round(confidence * 1000),
        })),
      }));
    expect(finals(second)).toEqual(finals(first));
    expect(finalsOf(first).length).toBeGreaterThanOrEqual(4);
  });

  it('separates sentences, so that nothing of one is heard in the next', async (context) => {
    const clip = await realSpeech('bria');
    if (clip === undefined) return context.skip('SKIPPED: no real speech beside the checkout');
    const finals = finalsOf(await recognise(engine.openStream(), clip.pcm));
    const lastWords = finals.map(({ words }) => normaliseWords(words.at(-1)?.text ?? '')[0]);
    expect(lastWords).toContain('sky');
  });

  describe('with missing and repeated audio', () => {
    it.each([
      ['fed at the pace of recognition', feed],
      ['pushed all at once', pushAllAt],
    ] as const)('reports what is missing and keeps the speech on both sides (%s)', async (_how, push) => {
      const [before, after] = [clips[3]!, clips[2]!];
      const stream = engine.openStream();
      const events = readAll(stream);
      await push(stream, before.pcm);
      const fromSample = before.pcm.length;
      const toSample = fromSample + msToSamples(3000);
      await push(stream, after.pcm, { firstSample: toSample });
      expect(stream.receivedThroughSample).toBe(toSample + after.pcm.length);
      await stream.close();
      expect(gapsOf(await events)).toEqual([{ kind: 'gap', fromSample, toSample, reason: 'audio_missing' }]);
      const expected = [...normaliseWords(before.text), ...normaliseWords(after.text)];
      expect(wordErrorRate(expected, finalWords(await events))).toBeLessThan(0.3);
      const afterGap = finalsOf(await events).at(-1)!;
      expect(afterGap.words[0]!.startSample).toBeGreaterThanOrEqual(toSample);
      expect(breachesOf(await events)).toEqual([]);
    });

    it('leaves out samples that it was given before', async () => {
      const { pcm } = clips[0]!;
      const frame = msToSamples(60);
      const plain = await recognise(engine.openStream(), pcm, { frameSamples: frame });
      const stream = engine.openStream();
      const events = readAll(stream);
      for (let at = 0; at < pcm.length; at += frame) {
        const overlap = Math.min(at, ((at / 7) % 500) | 0);
        pushAll(stream, pcm.subarray(at - overlap, at + frame), at - overlap);
        pushAll(stream, pcm.subarray(at, at + frame), at);
        await stream.settled();
      }
      expect(stream.receivedThroughSample).toBe(pcm.length);
      await stream.close();
      expect(finalsOf(await events)).toEqual(finalsOf(plain));
    });
  });

  describe('stream life', () => {
    const firstHalf = (clip: Clip): Int16Array => clip.pcm.subarray(0, clip.pcm.length / 2);
    const hasFinal = (events: readonly AsrEvent[]): Promise<void> =>
      vi.waitFor(() => expect(finalsOf(events)).toHaveLength(1), { timeout: 20_000 });

    async function collecting(stream: AsrStream): Promise<{ events: AsrEvent[]; ended: Promise<void> }> {
      const events: AsrEvent[] = [];
      const ended = (async () => {
        for await (const event of stream.events) events.push(event);
      })();
      return Promise.resolve({ events, ended });
    }

    it('finishes at once what is being said when it is flushed, and goes on after that', async () => {
      const stream = engine.openStream();
      const { events, ended } = await collecting(stream);
      const half = firstHalf(clips[1]!);
      await feed(stream, half);
      stream.flush();
      await hasFinal(events);
      expect(finalWords(events).length).toBeGreaterThan(3);
      await feed(stream, clips[2]!.pcm, { firstSample: half.length });
      await stream.close();
      await ended;
      expect(finalsOf(events).length).toBeGreaterThanOrEqual(2);
      expect(breachesOf(events)).toEqual([]);
      expect(gapsOf(events)).toEqual([]);
    });

    it('flushes also what the gate has not heard yet', async () => {
      const stream = engine.openStream();
      const { events } = await collecting(stream);
      pushAll(stream, clips[3]!.pcm);
      stream.flush();
      await hasFinal(events);
      expect(wordErrorRate(normaliseWords(clips[3]!.text), finalWords(events))).toBeLessThan(0.3);
      stream.destroy();
    });

    it('flushes by itself when audio stops coming, if asked to', async () => {
      const stream = engine.openStream({ stall: { pauseMs: 10, finishMs: 30 } });
      const { events } = await collecting(stream);
      pushAll(stream, firstHalf(clips[1]!));
      await hasFinal(events);
      expect(finalWords(events).length).toBeGreaterThan(3);
      stream.destroy();
    });

    it('tells the last final before close resolves, and takes nothing after it', async () => {
      const stream = engine.openStream();
      const { events, ended } = await collecting(stream);
      await feed(stream, firstHalf(clips[1]!));
      const closed = stream.close();
      pushAll(stream, clips[2]!.pcm, stream.receivedThroughSample);
      stream.flush();
      await Promise.all([closed, stream.close()]);
      await ended;
      expect(finalsOf(events)).toHaveLength(1);
      expect(breachesOf(events)).toEqual([]);
      expect(stream.receivedThroughSample).toBe(firstHalf(clips[1]!).length);
    });

    it('ends at once when it is destroyed, also while it is closed, and frees what it held', async () => {
      const streams = [engine.openStream(), engine.openStream()];
      const all = await Promise.all(streams.map(collecting));
      for (const stream of streams) await feed(stream, firstHalf(clips[1]!), { maxBehindSamples: Infinity });
      const closing = streams[1]!.close();
      for (const stream of streams) stream.destroy();
      await closing;
      await Promise.all(all.map(({ ended }) => ended));
      expect(all.flatMap(({ events }) => finalsOf(events))).toEqual([]);
      expect(engine.openStreams).toBe(0);
      expect(engine.openUtterances).toBe(0);
    });

    it('uses a vocabulary given later for what comes then', async () => {
      const stream = engine.openStream({ vocabulary: [] });
      const { events, ended } = await collecting(stream);
      stream.setVocabulary(['PAUL']);
      await feed(stream, clips[0]!.pcm);
      await stream.close();
      await ended;
      expect(finalWords(events)).toContain('paul');
    });
  });

  it('ends the events of its streams when it is closed itself, and leaves no process', async () => {
    const own = await ChildEngine.start({ model, children: 2 });
    const pids = own.childPids;
    const streams = [own.openStream(), own.openStream()];
    const events = streams.map(readAll);
    for (const stream of streams) pushAll(stream, clips[0]!.pcm);
    await Promise.all([own.close(), own.close()]);
    expect((await Promise.all(events)).flatMap(finalsOf)).toEqual([]);
    expect(pids.filter(isRunning)).toEqual([]);
    expect(own.openStreams).toBe(0);
  });
});
