import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BeamSearch } from './beam-search.js';
import { GreedySearch } from './greedy-search.js';
import { HotwordGraph } from './hotword-graph.js';
import type { EmittedToken, Search, SearchState } from './search.js';
import { hashedRow, MADE_UP_VOCABULARY, madeUpModel } from './testing/made-up-model.js';
import { VocabularySearch } from './vocabulary-search.js';

const frame = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
  minLength: MADE_UP_VOCABULARY,
  maxLength: MADE_UP_VOCABULARY,
});
const audio = fc
  .array(frame, { minLength: 1, maxLength: 40 })
  .map((frames) => Float32Array.from(frames.flat()));
const seed = fc.integer({ min: 0, max: 1000 });
const chunk = fc.integer({ min: 1, max: 9 });
const penalty = fc.constantFrom(0, 1.5);
const boosts = fc.array(
  fc.record({
    ids: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: 1, maxLength: 3 }),
    boost: fc.constantFrom(1, 3),
  }),
  { maxLength: 3 },
);

/** Whose tokens depend on nothing else, and how they are cut. */
const circumstances = fc.record({ salt: seed, chunkFrames: chunk, phrases: boosts });

const framesIn = (values: Float32Array): number => values.length / MADE_UP_VOCABULARY;
const ids = (tokens: readonly EmittedToken[]): number[] => tokens.map(({ id }) => id);

/** Calls `step` with the streams that have a chunk at each position in turn. */
async function inChunks(
  audios: readonly Float32Array[],
  chunkFrames: number,
  step: (
    parts: {
      stream: number;
      encoderOutput: Float32Array;
      offset: number;
      frames: number;
      firstFrame: number;
    }[],
  ) => Promise<void>,
): Promise<void> {
  const longest = Math.max(...audios.map(framesIn));
  for (let firstFrame = 0; firstFrame < longest; firstFrame += chunkFrames) {
    await step(
      audios.flatMap((encoderOutput, stream) => {
        const frames = Math.min(chunkFrames, framesIn(encoderOutput) - firstFrame);
        return frames > 0
          ? [{ stream, encoderOutput, offset: firstFrame * MADE_UP_VOCABULARY, frames, firstFrame }]
          : [];
      }),
    );
  }
}

/** What each stream says, all of them batched. */
async function decode<State extends SearchState>(
  search: Search<State>,
  audios: readonly Float32Array[],
  {
    chunkFrames = 8,
    hotwords = [],
  }: { chunkFrames?: number; hotwords?: readonly (HotwordGraph | undefined)[] } = {},
): Promise<State[]> {
  const states = audios.map((_, stream) => search.newState(hotwords[stream]));
  await inChunks(audios, chunkFrames, (parts) =>
    search.advance(parts.map(({ stream, ...input }) => ({ ...input, state: states[stream]! }))),
  );
  for (const state of states) search.settle(state);
  return states;
}

describe('BeamSearch', () => {
  it('property: with one active path it is greedy search, to the last digit of a probability', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(audio, { minLength: 1, maxLength: 3 }),
        seed,
        penalty,
        async (audios, salt, blankPenalty) => {
          const { parts } = madeUpModel(hashedRow(salt), { blankPenalty });
          const greedy = await decode(new GreedySearch(parts), audios);
          const beam = await decode(new BeamSearch(parts, { activePaths: 1 }), audios);
          expect(beam.map(({ settled }) => settled)).toEqual(greedy.map(({ settled }) => settled));
          expect(beam.map((state) => state.trailingBlankFrames)).toEqual(
            greedy.map((state) => state.trailingBlankFrames),
          );
        },
      ),
    );
  });

  it('property: settled tokens never change, and the end settles all', async () => {
    await fc.assert(
      fc.asyncProperty(audio, seed, boosts, async (values, salt, phrases) => {
        const search = new BeamSearch(madeUpModel(hashedRow(salt)).parts);
        const state = search.newState(new HotwordGraph(phrases));
        let before: EmittedToken[] = [];
        await inChunks([values], 3, async (parts) => {
          await search.advance(parts.map((input) => ({ ...input, state })));
          expect(state.settled.slice(0, before.length)).toEqual(before);
          before = [...state.settled];
        });
        const { open } = state;
        search.settle(state);
        expect(state.settled.slice(0, before.length)).toEqual(before);
        expect(state.open).toEqual([]);
        if (phrases.length === 0) expect(state.settled).toEqual([...before, ...open]);
      }),
    );
  });

  it('property: says the same in any chunks and with any neighbours', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(audio, { minLength: 2, maxLength: 4 }),
        circumstances,
        async (audios, { salt, chunkFrames, phrases }) => {
          const search = new BeamSearch(madeUpModel(hashedRow(salt)).parts);
          const hotwords = audios.map((_, stream) => (stream === 0 ? new HotwordGraph(phrases) : undefined));
          const together = await decode(search, audios, { chunkFrames, hotwords });
          for (const [stream, values] of audios.entries()) {
            const [alone] = await decode(search, [values], { hotwords: [hotwords[stream]] });
            expect(together[stream]!.settled).toEqual(alone!.settled);
          }
        },
      ),
    );
  });

  it('property: a look ahead tells what advance will, and changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(audio, seed, async (values, salt) => {
        const search = new BeamSearch(madeUpModel(hashedRow(salt)).parts);
        const state = search.newState();
        await inChunks([values], 5, async (parts) => {
          const inputs = parts.map((input) => ({ ...input, state }));
          const saved = search.save(state);
          const [ahead] = await search.lookAhead(inputs);
          expect(search.save(state)).toEqual(saved);
          await search.advance(inputs);
          expect([...saved.settled, ...ahead!]).toEqual([...state.settled, ...state.open]);
        });
      }),
    );
  });

  it('property: goes on from what was saved as if it had never stopped', async () => {
    await fc.assert(
      fc.asyncProperty(audio, seed, boosts, async (values, salt, phrases) => {
        const search = new BeamSearch(madeUpModel(hashedRow(salt)).parts);
        const hotwords = new HotwordGraph(phrases);
        const [straight] = await decode(search, [values], { chunkFrames: 4, hotwords: [hotwords] });
        let state = search.newState(hotwords);
        await inChunks([values], 4, async (parts) => {
          state = search.restore(structuredClone(search.save(state)), hotwords);
          await search.advance(parts.map((input) => ({ ...input, state })));
        });
        search.settle(state);
        expect(state.settled).toEqual(straight!.settled);
      }),
    );
  });

  it('finds what greedy search misses: a likely token after an unlikely one', async () => {
    // After token 2 the next is near certain, after token 3 nothing is.
    const { parts } = madeUpModel(([, last]) =>
      Float32Array.from({ length: MADE_UP_VOCABULARY }, (_, id) => (last === 2 && id === 4 ? 9 : 0)),
    );
    const values = Float32Array.from(
      [
        [0, 0, 5, 5.1, 0, 0],
        [0, 0, 0, 0, 0, 0],
      ].flat(),
    );
    const [greedy] = await decode(new GreedySearch(parts), [values]);
    const [beam] = await decode(new BeamSearch(parts), [values]);
    expect(ids(greedy!.settled)).toEqual([3]);
    expect(ids(beam!.settled)).toEqual([2, 4]);
  });

  it('adds up hypotheses that come to the same tokens at different frames', async () => {
    // Token 2 in the first frame or in the second: each less likely than none at all, together more.
    const { parts } = madeUpModel(() => new Float32Array(MADE_UP_VOCABULARY));
    const low = -20;
    const values = Float32Array.from(
      [
        [0.5, low, 0, low, low, low],
        [0.5, low, 0, low, low, low],
      ].flat(),
    );
    const state = new BeamSearch(parts).newState();
    await new BeamSearch(parts).advance([
      { state, encoderOutput: values, offset: 0, frames: 2, firstFrame: 0 },
    ]);
    const of = (tokens: string): number => state.hypotheses.find(({ key }) => key === tokens)!.logProbability;
    const p = 1 / (1 + Math.exp(0.5));
    expect(of('2') - of('')).toBeCloseTo(Math.log((2 * p * (1 - p)) / (1 - p) ** 2), 4);
  });

  it('gives a token the probability of its own frame, whatever it was favoured with', async () => {
    const { parts } = madeUpModel(() => new Float32Array(MADE_UP_VOCABULARY));
    const values = Float32Array.of(2, 0, 1, 0, 0, 0);
    const [state] = await decode(new BeamSearch(parts), [values], {
      hotwords: [new HotwordGraph([{ ids: [2], boost: 4 }])],
    });
    const odds = [2, 0, 1, 0, 0, 0].map((score) => Math.exp(score / 2));
    expect(ids(state!.settled)).toEqual([2]);
    expect(Math.exp(state!.settled[0]!.logProbability)).toBeCloseTo(
      odds[2]! / odds.reduce((sum, value) => sum + value, 0),
      5,
    );
  });

  it('scores all hypotheses of all streams in one call a frame, and stream by stream where rows depend on each other', async () => {
    const values = Float32Array.from({ length: 3 * MADE_UP_VOCABULARY }, (_, index) => Math.sin(index));
    const batchable = madeUpModel(hashedRow(1));
    await decode(new BeamSearch(batchable.parts), [values, values]);
    expect(batchable.calls).toHaveLength(3);
    expect(batchable.calls[2]).toBeGreaterThan(2);
    const single = madeUpModel(hashedRow(1), { joiner: { ...batchable.parts.joiner, isBatchable: false } });
    const before = batchable.calls.length;
    await decode(new BeamSearch(single.parts), [values, values]);
    expect(batchable.calls.length - before).toBe(6);
  });

  it('settles what is open for too long as the best hypothesis has it', async () => {
    const { parts } = madeUpModel(() => new Float32Array(MADE_UP_VOCABULARY));
    const silence = [9, -9, -9, -9, -9, -9];
    const values = Float32Array.from([[0, -9, 1, 0.9, -9, -9], ...Array<number[]>(20).fill(silence)].flat());
    const search = new BeamSearch(parts, { maxOpenFrames: 10 });
    const state = search.newState();
    await search.advance([{ state, encoderOutput: values, offset: 0, frames: 10, firstFrame: 0 }]);
    expect([ids(state.settled), ids(state.open)]).toEqual([[], [2]]);
    await search.advance([
      { state, encoderOutput: values, offset: 10 * MADE_UP_VOCABULARY, frames: 11, firstFrame: 10 },
    ]);
    expect([ids(state.settled), ids(state.open)]).toEqual([[2], []]);
    expect(state.trailingBlankFrames).toBe(20);
  });
});

describe('VocabularySearch', () => {
  const values = Float32Array.from(
    [
      [0, -9, 2, 2.1, -9, -9],
      [9, -9, -9, -9, -9, -9],
      [0, -9, -9, -9, 2, 2.1],
      [9, -9, -9, -9, -9, -9],
    ].flat(),
  );
  const { parts } = madeUpModel(() => new Float32Array(MADE_UP_VOCABULARY));
  const favours = (...tokens: number[]): HotwordGraph =>
    new HotwordGraph(tokens.map((id) => ({ ids: [id], boost: 3 })));

  it('favours the phrases of one stream and not those of its neighbour', async () => {
    const states = await decode(new VocabularySearch(parts), [values, values], { hotwords: [favours(2, 4)] });
    expect(states.map(({ settled }) => ids(settled))).toEqual([
      [2, 4],
      [3, 5],
    ]);
  });

  it('favours a vocabulary from when it is given until it is taken away', async () => {
    const search = new VocabularySearch(parts);
    const texts = async (change: (state: ReturnType<typeof search.newState>) => void): Promise<number[]> => {
      const state = search.newState(favours(2));
      for (const firstFrame of [0, 2]) {
        const offset = firstFrame * MADE_UP_VOCABULARY;
        await search.advance([{ state, encoderOutput: values, offset, frames: 2, firstFrame }]);
        if (firstFrame === 0) change(state);
      }
      search.settle(state);
      return ids(state.settled);
    };
    expect(await texts(() => undefined)).toEqual([2, 5]);
    expect(await texts((state) => search.setHotwords(state, favours(4)))).toEqual([2, 4]);
    expect(await texts((state) => search.setHotwords(state, undefined))).toEqual([2, 5]);
    expect(
      await texts((state) => {
        search.setHotwords(state, undefined);
        search.setHotwords(state, favours(4));
      }),
    ).toEqual([2, 4]);
  });

  it('looks ahead for both kinds of streams, each in its place', async () => {
    const search = new VocabularySearch(parts);
    const input = (hotwords?: HotwordGraph) => ({
      state: search.newState(hotwords),
      encoderOutput: values,
      offset: 0,
      frames: 4,
      firstFrame: 0,
    });
    const found = await search.lookAhead([input(), input(favours(2)), input()]);
    expect(found.map(ids)).toEqual([
      [3, 5],
      [2, 5],
      [3, 5],
    ]);
  });
});
