import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../audio/audio-frame.js';
import { FAKE_CHUNK_SAMPLES, FakeRecogniser, fakeSpeech, fakeWord } from '../testing/fake-recogniser.js';
import { DecodeScheduler, GATHER_FROM_STREAMS, MAX_BATCH_STREAMS } from './decode-scheduler.js';
import type { DecodedPiece } from './messages.js';

interface Setup {
  readonly scheduler: DecodeScheduler;
  readonly recogniser: FakeRecogniser;
  /** The chunks of each call. */
  readonly calls: (readonly number[])[];
  /** Milliseconds that a stream costs in a call. */
  cost: number;
}

function setUp(costMs = 1, decodeCallBudgetMs = 40): Setup {
  let now = 0;
  const calls: (readonly number[])[] = [];
  const recogniser = new FakeRecogniser((words) => {
    calls.push(words);
    now += words.length * setup.cost;
  });
  const scheduler = new DecodeScheduler({ recogniser, decodeCallBudgetMs, now: () => now });
  const setup: Setup = { scheduler, recogniser, calls, cost: costMs };
  return setup;
}

const speech = (...values: number[]): Float32Array => toFloat32(fakeSpeech(values));

async function decodeAll(scheduler: DecodeScheduler): Promise<DecodedPiece[]> {
  const pieces: DecodedPiece[] = [];
  while (scheduler.hasWork) pieces.push(...(await scheduler.decodeOnce()).pieces);
  return pieces;
}

const wordsOf = (pieces: readonly DecodedPiece[], utterance: number): string[] =>
  pieces
    .filter((piece) => piece.utterance === utterance)
    .flatMap((piece) => piece.appended.map(({ text }) => text.trim()));

describe('DecodeScheduler', () => {
  it('decodes what is whole, chunk by chunk, and tells each token once', async () => {
    const { scheduler } = setUp();
    scheduler.open(1, { firstSample: 1000 });
    scheduler.accept(1, speech(7, 8));
    scheduler.accept(1, new Float32Array(100));
    const pieces = await decodeAll(scheduler);
    expect(wordsOf(pieces, 1)).toEqual([fakeWord(7), fakeWord(8)]);
    expect(pieces.map(({ decodedThroughSample }) => decodedThroughSample)).toEqual([
      1000 + FAKE_CHUNK_SAMPLES,
      1000 + 2 * FAKE_CHUNK_SAMPLES,
    ]);
    expect(pieces.some(({ isFinal }) => isFinal)).toBe(false);
  });

  it('tells how much audio a look needed, so that waiting for audio is not taken for waiting for a turn', async () => {
    const recogniser = new FakeRecogniser(undefined, () => undefined);
    const scheduler = new DecodeScheduler({
      recogniser,
      decodeCallBudgetMs: 40,
      changedWordsAllowed: 0.05,
      now: () => 0,
    });
    scheduler.open(1, { firstSample: 1000 });
    scheduler.accept(1, speech(7, 8).subarray(0, FAKE_CHUNK_SAMPLES + 2000));
    const [whole] = await decodeAll(scheduler);
    expect(whole?.decodedThroughSample).toBe(1000 + FAKE_CHUNK_SAMPLES);
    expect(whole?.heardThroughSample).toBeUndefined();
    const look = (await scheduler.speculateOnce())?.pieces[0];
    expect(look?.decodedThroughSample).toBe(1000 + FAKE_CHUNK_SAMPLES);
    expect(look?.heardThroughSample).toBe(1000 + FAKE_CHUNK_SAMPLES + 2000);
  });

  it('never lets a stream with a backlog of 100 chunks delay another by more than one call', async () => {
    const { scheduler, calls } = setUp();
    scheduler.open(1, { firstSample: 0 });
    scheduler.accept(1, speech(...Array.from({ length: 100 }, () => 1000)));
    scheduler.open(2, { firstSample: 0 });
    for (let i = 0; i < 20; i++) {
      await scheduler.decodeOnce();
      scheduler.accept(2, speech(i));
      const before = calls.length;
      while (calls.at(-1)?.includes(i) !== true) await scheduler.decodeOnce();
      expect(calls.length - before).toBeLessThanOrEqual(2);
    }
  });

  it('decodes few streams one by one, so that what one says does not depend on the others', async () => {
    const { scheduler, calls } = setUp();
    for (let utterance = 1; utterance <= GATHER_FROM_STREAMS; utterance++) {
      scheduler.open(utterance, { firstSample: 0 });
      scheduler.accept(utterance, speech(utterance, utterance));
    }
    await decodeAll(scheduler);
    expect(calls.map(({ length }) => length)).toEqual(Array<number>(2 * GATHER_FROM_STREAMS).fill(1));
  });

  it('lets every waiting stream have its turn before any has a second, however large the batch', async () => {
    const { scheduler, calls } = setUp(10, 40);
    for (let utterance = 1; utterance <= 10; utterance++) {
      scheduler.open(utterance, { firstSample: 0 });
      scheduler.accept(utterance, speech(...Array.from({ length: 50 }, () => utterance)));
    }
    while (calls.flat().length < 100) await scheduler.decodeOnce();
    const counts = new Map<number, number>();
    for (const value of calls.flat().slice(0, 100)) counts.set(value, (counts.get(value) ?? 0) + 1);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
  });

  it('makes batches as large as the measured cost allows, at most 8', async () => {
    const setup = setUp(10, 40);
    const { scheduler } = setup;
    for (let utterance = 1; utterance <= 40; utterance++) {
      scheduler.open(utterance, { firstSample: 0 });
      scheduler.accept(utterance, speech(...Array.from({ length: 60 }, () => utterance)));
    }
    const settle = async (): Promise<number> => {
      for (let i = 0; i < 40; i++) await scheduler.decodeOnce();
      return (await scheduler.decodeOnce()).batchSize;
    };
    expect((await scheduler.decodeOnce()).batchSize).toBe(1);
    expect(await settle()).toBe(8);
    setup.cost = 50;
    expect(await settle()).toBe(3);
    setup.cost = 0.5;
    expect(await settle()).toBe(MAX_BATCH_STREAMS);
    setup.cost = 500;
    expect(await settle()).toBe(1);
  });

  it('waits for a batch only when many talk, few are ready and no final is due', async () => {
    const { scheduler } = setUp();
    const open = (utterance: number): void => scheduler.open(utterance, { firstSample: 0 });
    const makeReady = (utterance: number): void => scheduler.accept(utterance, speech(1));
    for (let utterance = 1; utterance <= 12; utterance++) open(utterance);
    makeReady(1);
    expect(scheduler.gatherMs).toBe(0);
    for (let utterance = 13; utterance <= 20; utterance++) open(utterance);
    const waitMs = scheduler.gatherMs;
    expect(waitMs).toBeGreaterThan(0);
    for (let utterance = 21; utterance <= 100; utterance++) open(utterance);
    expect(scheduler.gatherMs).toBeGreaterThan(waitMs);
    expect(scheduler.gatherMs).toBeLessThanOrEqual(60);
    for (let utterance = 2; utterance <= 8; utterance++) makeReady(utterance);
    expect(scheduler.gatherMs).toBe(0);
    await decodeAll(scheduler);
    makeReady(1);
    expect(scheduler.gatherMs).toBeGreaterThan(0);
    scheduler.finish(2);
    expect(scheduler.gatherMs).toBe(0);
  });

  it('finishes an utterance with the rest of its audio, and without any', async () => {
    const { scheduler, recogniser } = setUp();
    scheduler.open(1, { firstSample: 0 });
    scheduler.accept(1, speech(5).subarray(0, 300));
    expect(scheduler.hasWork).toBe(false);
    scheduler.finish(1);
    scheduler.open(2, { firstSample: 700 });
    scheduler.finish(2);
    const pieces = await decodeAll(scheduler);
    expect(wordsOf(pieces, 1)).toEqual([fakeWord(5)]);
    expect(pieces.filter(({ isFinal }) => isFinal)).toMatchObject([
      { utterance: 1, decodedThroughSample: 300 },
      { utterance: 2, decodedThroughSample: 700, appended: [] },
    ]);
    expect(scheduler.openStreams).toBe(0);
    expect(recogniser.released).toBe(2);
  });

  it('is deaf to audio after the finish and for what is not open', async () => {
    const { scheduler } = setUp();
    scheduler.accept(5, speech(1));
    scheduler.finish(5);
    scheduler.cancel(5);
    expect(scheduler.hasWork).toBe(false);
    scheduler.open(1, { firstSample: 0 });
    scheduler.finish(1);
    scheduler.accept(1, speech(1));
    expect(wordsOf(await decodeAll(scheduler), 1)).toEqual([]);
  });

  it('drops a cancelled utterance, also when it waits for its turn', async () => {
    const { scheduler, recogniser, calls } = setUp();
    scheduler.open(1, { firstSample: 0 });
    scheduler.accept(1, speech(1, 1));
    scheduler.open(2, { firstSample: 0 });
    scheduler.accept(2, speech(2));
    scheduler.cancel(1);
    scheduler.cancel(1);
    const pieces = await decodeAll(scheduler);
    expect(pieces.map(({ utterance }) => utterance)).toEqual([2]);
    expect(calls).toEqual([[2]]);
    expect(recogniser.released).toBe(1);
  });

  it('refuses to open the same utterance twice', () => {
    const { scheduler } = setUp();
    scheduler.open(1, { firstSample: 0 });
    expect(() => scheduler.open(1, { firstSample: 0 })).toThrow('open already');
  });

  it('gives every utterance its words and exactly one final, in whatever order things come', async () => {
    const action = fc.record({
      utterance: fc.integer({ min: 1, max: 5 }),
      kind: fc.constantFrom('open', 'audio', 'audio', 'audio', 'finish', 'cancel', 'decode', 'decode'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 80 }), async (actions) => {
        const { scheduler, recogniser } = setUp(10, 25);
        const states = new Map<number, { given: string[]; isFinished: boolean; isCancelled: boolean }>();
        const pieces: DecodedPiece[] = [];
        let value = 1;
        for (const { utterance, kind } of actions) {
          const state = states.get(utterance);
          if (kind === 'open' && state === undefined) {
            states.set(utterance, { given: [], isFinished: false, isCancelled: false });
            scheduler.open(utterance, { firstSample: 0 });
          } else if (kind === 'audio') {
            scheduler.accept(utterance, speech(value));
            if (state && !state.isFinished && !state.isCancelled) state.given.push(fakeWord(value));
            value += 1;
          } else if (kind === 'finish') {
            scheduler.finish(utterance);
            if (state && !state.isCancelled) state.isFinished = true;
          } else if (kind === 'cancel') {
            scheduler.cancel(utterance);
            const isDone = pieces.some((piece) => piece.utterance === utterance && piece.isFinal);
            if (state && !isDone) state.isCancelled = true;
          } else if (kind === 'decode' && scheduler.hasWork) {
            pieces.push(...(await scheduler.decodeOnce()).pieces);
          }
        }
        pieces.push(...(await decodeAll(scheduler)));
        for (const [utterance, { given, isFinished, isCancelled }] of states) {
          const finals = pieces.filter((piece) => piece.utterance === utterance && piece.isFinal);
          expect(finals).toHaveLength(isFinished && !isCancelled ? 1 : 0);
          const words = wordsOf(pieces, utterance);
          expect(words).toEqual(isCancelled ? given.slice(0, words.length) : given);
        }
        expect(recogniser.released).toBe(states.size - scheduler.openStreams);
      }),
    );
  });
});
