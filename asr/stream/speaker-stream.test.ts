import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { AsrEvent } from '../engine.js';
import { VAD_FRAME_SAMPLES, type VadRequest } from '../gate/silero-vad.js';
import { VadBatcher } from '../gate/vad-batcher.js';
import { monotonicNow } from '../monotonic-clock.js';
import { breachesOf, finalsOf, gapsOf, readAll } from '../testing/drive-stream.js';
import { joinPcm } from '../testing/clips.js';
import { FakePool, type SpokenWord } from '../testing/fake-pool.js';
import type { Formatter } from '../text/formatter.js';
import { SpeakerStream } from './speaker-stream.js';
import type { StallLimits } from './stall-watch.js';

const FRAME_SAMPLES = msToSamples(100);

/** Loud frames are speech. */
const loudnessVad = {
  judge: (requests: readonly VadRequest[]): Promise<Float32Array> =>
    Promise.resolve(Float32Array.from(requests, ({ frame }) => (Math.abs(frame[0] ?? 0) > 1000 ? 1 : 0))),
};

const plain: Formatter = {
  format: (words) => [...words],
  stableCount: (words) => Math.max(0, words.length - 1),
};

/** Pieces of speech and silence, in milliseconds. */
interface Speech {
  readonly pcm: Int16Array;
  readonly words: readonly SpokenWord[];
}

/** Words of `wordMs` each without a pause between them, then silence; and so on. */
function speak(
  pieces: readonly { readonly words: number; readonly wordMs: number; readonly pauseMs: number }[],
): Speech {
  const words: SpokenWord[] = [];
  const stretches: { from: number; to: number }[] = [];
  let at = msToSamples(500);
  for (const { words: count, wordMs, pauseMs } of pieces) {
    const from = at;
    for (let i = 0; i < count; i++) {
      words.push({ text: `w${words.length}`, startSample: at });
      at += msToSamples(wordMs);
    }
    stretches.push({ from, to: at });
    at += msToSamples(pauseMs);
  }
  const pcm = new Int16Array(at);
  for (const { from, to } of stretches) {
    for (let i = from; i < to; i++) pcm[i] = i % 2 === 0 ? 8000 : -8000;
  }
  return { pcm, words };
}

interface Run {
  readonly events: AsrEvent[];
  readonly texts: string[];
}

/**
 * Feeds the speech in frames. Recognition is at most `maxBehindMs` behind and otherwise as far behind as `laziness` makes it:
 * so many frames pass without decoding.
 */
async function run(speech: Speech, laziness: readonly number[], maxBehindMs = 5000): Promise<Run> {
  const pool = new FakePool(speech.words);
  const stream = createStream(pool);
  const reading = readAll(stream);
  let turn = 0;
  let skip = 0;
  for (let at = 0; at < speech.pcm.length; at += FRAME_SAMPLES) {
    push(stream, speech.pcm.subarray(at, at + FRAME_SAMPLES), at);
    await stream.settled();
    if (skip-- > 0 && !isTooFarBehind(stream, maxBehindMs)) continue;
    skip = laziness[turn++ % laziness.length] ?? 0;
    while (pool.decodeOnce());
  }
  const closed = stream.close();
  await stream.settled();
  await drain(pool);
  await closed;
  const events = await reading;
  return { events, texts: finalsOf(events).flatMap((final) => final.words.map(({ text }) => text)) };
}

const isTooFarBehind = (stream: SpeakerStream, maxBehindMs: number): boolean =>
  stream.receivedThroughSample - stream.recognisedThroughSample > msToSamples(maxBehindMs);

/** Decodes what there is, and what a stream opens when it closes. */
async function drain(pool: FakePool): Promise<void> {
  for (let round = 0; round < 5; round++) {
    while (pool.decodeOnce());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function createStream(
  pool: FakePool,
  closed: () => void = () => undefined,
  stall?: StallLimits,
): SpeakerStream {
  return new SpeakerStream({
    ...(stall === undefined ? {} : { stall }),
    pool,
    batcher: new VadBatcher(loudnessVad, (error) => {
      throw error;
    }),
    createFormatter: () => plain,
    punctuatesFinals: false,
    vocabulary: [],
    closed,
  });
}

function push(stream: SpeakerStream, pcm: Int16Array, firstSample: number): void {
  stream.push({ pcm, firstSample: sampleIndex(firstSample), receivedAtMs: monotonicNow() });
}

const textsOf = ({ words }: Speech): string[] => words.map(({ text }) => text);

const lengthMs = (speech: Speech): number => speech.pcm.length / 16;

describe('SpeakerStream', () => {
  it('makes a segment of each sentence, with the pause between them in none', async () => {
    const speech = speak([
      { words: 5, wordMs: 300, pauseMs: 900 },
      { words: 4, wordMs: 250, pauseMs: 2000 },
      { words: 1, wordMs: 400, pauseMs: 700 },
    ]);
    const { events, texts } = await run(speech, [0]);
    expect(finalsOf(events).map(({ words }) => words.length)).toEqual([5, 4, 1]);
    expect(texts).toEqual(textsOf(speech));
    expect(breachesOf(events)).toEqual([]);
    expect(gapsOf(events)).toEqual([]);
  });

  it('cuts long speech at a short pause once it has lasted 12 s', async () => {
    const speech = speak([
      { words: 20, wordMs: 300, pauseMs: 300 },
      { words: 25, wordMs: 300, pauseMs: 300 },
      { words: 10, wordMs: 300, pauseMs: 1000 },
    ]);
    const { events, texts } = await run(speech, [0]);
    expect(finalsOf(events).map(({ words }) => words.length)).toEqual([45, 10]);
    expect(texts).toEqual(textsOf(speech));
  });

  it('cuts speech without any pause at 20 s, loses no word and doubles none', async () => {
    const speech = speak([{ words: 300, wordMs: 310, pauseMs: 1000 }]);
    const { events, texts } = await run(speech, [0]);
    expect(texts).toEqual(textsOf(speech));
    expect(breachesOf(events)).toEqual([]);
    const finals = finalsOf(events);
    expect(finals.length).toBeGreaterThanOrEqual(4);
    for (const { words } of finals) {
      expect(words.at(-1)!.endSample - words[0]!.startSample).toBeLessThan(msToSamples(21_000));
    }
  });

  it('ends a sentence that noise follows, and goes on in the noise without losing a word', async () => {
    const first = speak([{ words: 5, wordMs: 300, pauseMs: 0 }]);
    const after = speak([{ words: 4, wordMs: 300, pauseMs: 2000 }]);
    const noise = Int16Array.from({ length: msToSamples(4000) }, (_, i) => (i % 3 === 0 ? 8000 : -8000));
    const offset = first.pcm.length + noise.length - msToSamples(500);
    const pcm = joinPcm([first.pcm, noise, after.pcm.subarray(msToSamples(500))]);
    const words = [
      ...first.words,
      ...after.words.map(({ text, startSample }) => ({
        text: `${text}b`,
        startSample: startSample + offset,
      })),
    ];
    const { events, texts } = await run({ pcm, words }, [0]);
    expect(texts).toEqual(words.map(({ text }) => text));
    expect(finalsOf(events).map((final) => final.words.length)).toEqual([5, 4]);
    expect(breachesOf(events)).toEqual([]);
    const firstFinal = events.findIndex((event) => event.kind === 'segment' && event.isFinal);
    const nextWord = events.findIndex((event) => event.kind === 'segment' && event.segment > 1);
    expect(firstFinal).toBeLessThan(nextWord);
  });

  it('says the same, in the same segments, however far recognition lags behind the gate', async () => {
    const piece = fc.record({
      words: fc.integer({ min: 1, max: 110 }),
      wordMs: fc.integer({ min: 170, max: 700 }),
      pauseMs: fc.constantFrom(100, 200, 300, 500, 650, 1500),
    });
    const laziness = fc.array(fc.nat(60), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 4 }), laziness, async (pieces, lazy) => {
        // Silence at the end, or the end of the stream might come before a cut is decided.
        const speech = speak([...pieces, { words: 1, wordMs: 300, pauseMs: 8000 }]);
        const prompt = await run(speech, [0]);
        const late = await run(speech, lazy);
        expect(prompt.texts).toEqual(textsOf(speech));
        // How much an utterance has heard beyond its cut does depend on the lag.
        const wordsBySegment = ({ events }: Run): unknown => finalsOf(events).map(({ words }) => words);
        expect(wordsBySegment(late)).toEqual(wordsBySegment(prompt));
        expect(breachesOf(late.events)).toEqual([]);
        expect(gapsOf(late.events)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('drops the oldest 30 s of what nobody recognises, told as gaps in order', async () => {
    const speech = speak([{ words: 400, wordMs: 300, pauseMs: 1000 }]);
    expect(lengthMs(speech)).toBeGreaterThan(100_000);
    const pool = new FakePool(speech.words);
    const stream = createStream(pool);
    const reading = readAll(stream);
    for (let at = 0; at < speech.pcm.length; at += FRAME_SAMPLES) {
      push(stream, speech.pcm.subarray(at, at + FRAME_SAMPLES), at);
      await stream.settled();
      expect(stream.receivedThroughSample - stream.recognisedThroughSample).toBeLessThan(msToSamples(31_500));
      expect(pool.openUtterances).toBeLessThanOrEqual(3);
    }
    const closed = stream.close();
    await stream.settled();
    await drain(pool);
    await closed;
    const events = await reading;
    const gaps = gapsOf(events);
    expect(gaps.map(({ reason }) => reason)).toEqual(gaps.map(() => 'overloaded'));
    gaps.slice(1).forEach((gap, index) => expect(gap.fromSample).toBe(gaps[index]!.toSample));
    const words = finalsOf(events).flatMap((final) => final.words);
    expect(words.length).toBeGreaterThan(10);
    expect(words[0]!.startSample).toBeGreaterThanOrEqual(gaps.at(-1)!.toSample);
    expect(words.at(-1)?.text).toBe('w399');
  });

  it('tells a gap when recognition gives up, and hears what is said after that', async () => {
    const speech = speak([
      { words: 10, wordMs: 300, pauseMs: 900 },
      { words: 5, wordMs: 300, pauseMs: 900 },
    ]);
    const pool = new FakePool(speech.words);
    const stream = createStream(pool);
    const reading = readAll(stream);
    const failAt = msToSamples(2500);
    let failedAt: number | undefined;
    for (let at = 0; at < speech.pcm.length; at += FRAME_SAMPLES) {
      push(stream, speech.pcm.subarray(at, at + FRAME_SAMPLES), at);
      await stream.settled();
      if (failedAt === undefined && at >= failAt) {
        pool.failAll();
        failedAt = at + FRAME_SAMPLES;
      } else {
        while (pool.decodeOnce());
      }
    }
    const closed = stream.close();
    await stream.settled();
    await drain(pool);
    await closed;
    const events = await reading;
    const gaps = gapsOf(events);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ reason: 'recogniser_failed', toSample: failedAt });
    const finals = finalsOf(events);
    const told = finals[0]!;
    expect(told.decodedThroughSample).toBe(gaps[0]!.fromSample);
    const after = finals.slice(1).flatMap(({ words }) => words.map(({ text }) => text));
    expect(after.slice(-6)).toEqual(['w9', 'w10', 'w11', 'w12', 'w13', 'w14']);
    expect(breachesOf(events)).toEqual([]);
  });

  it('tells finals in the order of speech, also when a short segment is decoded before a long one', async () => {
    const speech = speak([
      { words: 30, wordMs: 300, pauseMs: 900 },
      { words: 1, wordMs: 400, pauseMs: 900 },
      { words: 3, wordMs: 300, pauseMs: 900 },
    ]);
    // Nothing is decoded before everything was said; then every utterance gets one chunk a turn.
    const { events, texts } = await run(speech, [1000], 60_000);
    const finals = events.filter((event) => event.kind === 'segment' && event.isFinal);
    expect(finals.map((event) => (event.kind === 'segment' ? event.words.length : 0))).toEqual([30, 1, 3]);
    expect(texts).toEqual(textsOf(speech));
    expect(breachesOf(events)).toEqual([]);
  });

  it('says how far it is, and is told when it ends', async () => {
    const speech = speak([{ words: 5, wordMs: 300, pauseMs: 0 }]);
    const pool = new FakePool(speech.words);
    let closings = 0;
    const stream = createStream(pool, () => (closings += 1));
    push(stream, speech.pcm, 0);
    expect(stream.receivedThroughSample).toBe(speech.pcm.length);
    await stream.settled();
    expect(stream.recognisedThroughSample).toBeLessThan(msToSamples(500));
    const whole = Math.floor(speech.pcm.length / VAD_FRAME_SAMPLES) * VAD_FRAME_SAMPLES;
    const closed = stream.close();
    await stream.settled();
    await drain(pool);
    await closed;
    expect(stream.recognisedThroughSample).toBe(whole);
    stream.destroy();
    expect(closings).toBe(1);
  });
});

describe('audio that stalls', () => {
  const limits: StallLimits = { pauseMs: 1500, finishMs: 10_000 };
  const speech = speak([{ words: 6, wordMs: 400, pauseMs: 2000 }]);
  const endOfSpeech = msToSamples(500 + 6 * 400);

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  interface StalledRun {
    readonly stream: SpeakerStream;
    readonly events: AsrEvent[];
    /** Lets so much time pass without audio. */
    readonly wait: (ms: number) => Promise<void>;
    readonly resume: () => Promise<string[]>;
  }

  /** Everything before `atSample` has come; `resume` sends the rest, and gives all words of finals. */
  async function stalledAt(atSample: number): Promise<StalledRun> {
    const pool = new FakePool(speech.words);
    const stream = createStream(pool, undefined, limits);
    const events: AsrEvent[] = [];
    const reading = (async () => {
      for await (const event of stream.events) events.push(event);
    })();
    const settled = async (): Promise<void> => {
      await stream.settled();
      await drain(pool);
    };
    push(stream, speech.pcm.subarray(0, atSample), 0);
    await settled();
    return {
      stream,
      events,
      wait: async (ms) => {
        vi.advanceTimersByTime(ms);
        await settled();
      },
      resume: async () => {
        push(stream, speech.pcm.subarray(atSample), atSample);
        await settled();
        const closed = stream.close();
        await settled();
        await closed;
        await reading;
        return finalsOf(events).flatMap(({ words }) => words.map(({ text }) => text));
      },
    };
  }

  it('in the middle of a word leaves the segment open, and the word whole when the rest comes', async () => {
    const { events, wait, resume } = await stalledAt(msToSamples(500 + 2 * 400 + 200));
    await wait(limits.finishMs - 1);
    expect(events.length).toBeGreaterThan(0);
    expect(finalsOf(events)).toEqual([]);
    expect(await resume()).toEqual(textsOf(speech));
    expect(finalsOf(events)).toHaveLength(1);
  });

  it('in the middle of a word for very long is finished, and goes on in another segment', async () => {
    const { events, wait, resume } = await stalledAt(msToSamples(500 + 2 * 400 + 200));
    await wait(limits.pauseMs);
    await wait(limits.finishMs - limits.pauseMs);
    expect(finalsOf(events)).toHaveLength(1);
    await resume();
    expect(finalsOf(events)).toHaveLength(2);
    expect(breachesOf(events)).toEqual([]);
  });

  it('after the end of a word is finished soon', async () => {
    const { events, wait, resume } = await stalledAt(endOfSpeech + msToSamples(250));
    await wait(limits.pauseMs - 1);
    expect(finalsOf(events)).toEqual([]);
    await wait(1);
    expect(finalsOf(events)).toHaveLength(1);
    expect(await resume()).toEqual(textsOf(speech));
  });

  it('again and again never counts the time of the stall before', async () => {
    const { stream, events, wait, resume } = await stalledAt(msToSamples(500 + 2 * 400 + 200));
    for (let turn = 0; turn < 5; turn++) {
      await wait(limits.finishMs - 1);
      push(stream, new Int16Array(0), stream.receivedThroughSample);
    }
    expect(finalsOf(events)).toEqual([]);
    expect(await resume()).toEqual(textsOf(speech));
  });
});

describe('a speaker who stops and goes on later', () => {
  it('has no word before the pause that was said after it, nor the other way round', async () => {
    const piece = fc.record({
      words: fc.integer({ min: 1, max: 12 }),
      wordMs: fc.integer({ min: 200, max: 500 }),
      // Of silence before the pause: often none.
      pauseMs: fc.constantFrom(0, 20, 150, 300, 600),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 2, maxLength: 5 }), async (pieces) => {
        const pool: { current: FakePool | undefined } = { current: undefined };
        const speech = speak(pieces);
        pool.current = new FakePool(speech.words, { tokenDelaySamples: msToSamples(60) });
        const stream = createStream(pool.current);
        const reading = readAll(stream);
        const pauses: number[] = [];
        let at = 0;
        let endSample = msToSamples(500);
        for (const { words, wordMs, pauseMs } of pieces) {
          endSample += msToSamples(words * wordMs + pauseMs);
          for (; at < endSample; at += FRAME_SAMPLES) {
            push(stream, speech.pcm.subarray(at, Math.min(at + FRAME_SAMPLES, endSample)), at);
            if (at % (3 * FRAME_SAMPLES) === 0) pool.current.decodeOnce();
          }
          at = endSample;
          stream.flush();
          pauses.push(endSample);
        }
        const closed = stream.close();
        await stream.settled();
        await drain(pool.current);
        await closed;
        const events = await reading;
        const words = finalsOf(events).flatMap((final) => final.words);
        expect(words.map(({ text }) => text)).toEqual(textsOf(speech));
        for (const [index, word] of words.entries()) {
          const spokenAt = speech.words[index]!.startSample;
          const before = pauses.findLast((pause) => pause <= spokenAt) ?? 0;
          const after = pauses.find((pause) => pause > spokenAt) ?? Infinity;
          expect(word.startSample).toBeGreaterThanOrEqual(before);
          expect(word.endSample).toBeLessThanOrEqual(after);
        }
        expect(breachesOf(events)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('what is final', () => {
  it('never lies behind a word whose final was not read, and reaches everything in the end', async () => {
    const speech = speak([
      { words: 5, wordMs: 300, pauseMs: 900 },
      { words: 40, wordMs: 300, pauseMs: 300 },
      { words: 30, wordMs: 310, pauseMs: 700 },
      { words: 1, wordMs: 400, pauseMs: 3000 },
    ]);
    const pool = new FakePool(speech.words);
    const stream = createStream(pool);
    const read: AsrEvent[] = [];
    const reading = (async () => {
      for await (const event of stream.events) read.push(event);
    })();
    let before = 0;
    const check = (): void => {
      const through = stream.finalThroughSample;
      expect(through).toBeGreaterThanOrEqual(before);
      before = through;
      const known = new Set(finalsOf(read).flatMap(({ words }) => words.map(({ text }) => text)));
      for (const { text, startSample } of speech.words)
        if (startSample < through) expect(known, `final through ${through}`).toContain(text);
    };
    for (let at = 0; at < speech.pcm.length; at += FRAME_SAMPLES) {
      push(stream, speech.pcm.subarray(at, at + FRAME_SAMPLES), at);
      await stream.settled();
      check();
      // Recognition is behind, and catches up.
      if ((at / FRAME_SAMPLES) % 7 < 4) pool.decodeOnce();
      check();
    }
    while (pool.decodeOnce());
    await stream.settled();
    await drain(pool);
    check();
    // All was said, and three seconds of silence followed.
    expect(before).toBeGreaterThan(speech.pcm.length - msToSamples(1000));
    const closed = stream.close();
    await drain(pool);
    await closed;
    await reading;
    expect(stream.finalThroughSample).toBe(speech.pcm.length);
  });
});
