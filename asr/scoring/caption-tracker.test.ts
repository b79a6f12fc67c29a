import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TrackingResult, WordTracker } from './caption-tracker.js';

const word = (text: string, index: number) => ({ text, startMs: index * 100, endMs: index * 100 + 80 });

interface Step {
  readonly at: number;
  readonly text: string;
  readonly final?: boolean;
  readonly segment?: string;
}

/** Shows each text at its time. */
function track(steps: readonly Step[]): TrackingResult {
  const tracker = new WordTracker();
  for (const { at, text, final, segment } of steps) {
    const words = text.split(' ').filter(Boolean).map(word);
    tracker.observe({ segment: segment ?? 's1', words, isFinal: final ?? false, nowMs: at });
  }
  return tracker.result();
}

describe('WordTracker', () => {
  it('tells when each word was first shown, since when it is stable, and when it became final', () => {
    const { words, segments } = track([
      { at: 100, text: 'we' },
      { at: 200, text: 'we meet' },
      { at: 900, text: 'We meet.', final: true },
    ]);
    expect(words).toEqual([
      {
        text: 'We',
        startMs: 0,
        endMs: 80,
        firstShownMs: 100,
        stableSinceMs: 100,
        segment: 's1',
        finalAtMs: 900,
      },
      {
        text: 'meet.',
        startMs: 100,
        endMs: 180,
        firstShownMs: 200,
        stableSinceMs: 200,
        segment: 's1',
        finalAtMs: 900,
      },
    ]);
    expect(segments).toEqual([{ segment: 's1', firstShownMs: 100, finalAtMs: 900, text: 'We meet.' }]);
  });

  it('counts no change when only capitals and punctuation change', () => {
    const result = track([
      { at: 1, text: 'hello world' },
      { at: 2, text: 'Hello, world.', final: true },
    ]);
    expect(result).toMatchObject({ changedWords: 0, partialsNotPrefix: 0, upwr: 0, upsr: 0 });
  });

  it('counts a word that grows as shown when it is complete, and not as changed', () => {
    const result = track([
      { at: 1, text: 'in the for' },
      { at: 2, text: 'in the forest' },
      { at: 3, text: 'in the forest', final: true },
    ]);
    expect(result).toMatchObject({ changedWords: 0, partialsNotPrefix: 0 });
    expect(result.words[2]).toMatchObject({ firstShownMs: 2, stableSinceMs: 2 });
  });

  it('tells a word that was right, then wrong, then right again: first shown early, stable late', () => {
    const result = track([
      { at: 1, text: 'a sea' },
      { at: 2, text: 'a see' },
      { at: 3, text: 'a sea', final: true },
    ]);
    expect(result.words[1]).toMatchObject({ firstShownMs: 1, stableSinceMs: 3 });
    expect(result).toMatchObject({ changedWords: 2, partialsNotPrefix: 2, upwr: 1, upsr: 2 });
  });

  it('counts words that vanish as changed, also when they come back', () => {
    const result = track([
      { at: 1, text: 'one two three' },
      { at: 2, text: 'one' },
      { at: 3, text: 'one two', final: true },
    ]);
    expect(result).toMatchObject({ changedWords: 2, partialsNotPrefix: 1, upwr: 1, upsr: 1 });
    expect(result.words[1]).toMatchObject({ firstShownMs: 1, stableSinceMs: 3 });
  });

  it('counts by place: a word put in front changes those behind it', () => {
    expect(
      track([
        { at: 1, text: 'the cat' },
        { at: 2, text: 'oh the cat', final: true },
      ]).changedWords,
    ).toBe(2);
  });

  it('keeps segments apart', () => {
    const result = track([
      { at: 1, text: 'one', segment: 'a' },
      { at: 2, text: 'two', segment: 'b' },
      { at: 3, text: 'one', segment: 'a', final: true },
      { at: 4, text: 'to', segment: 'b', final: true },
    ]);
    expect(result.words.map(({ text, segment }) => [text, segment])).toEqual([
      ['one', 'a'],
      ['to', 'b'],
    ]);
    expect(result).toMatchObject({ changedWords: 1, partialsNotPrefix: 1, upwr: 0.5, upsr: 0.5 });
  });

  it('knows segments that never showed a word, and those that are not final', () => {
    const result = track([
      { at: 1, text: '', segment: 'a', final: true },
      { at: 2, text: '', segment: 'b' },
      { at: 3, text: 'hm', segment: 'b' },
    ]);
    expect(result.segments).toEqual([
      { segment: 'a', firstShownMs: null, finalAtMs: 1, text: '' },
      { segment: 'b', firstShownMs: 3, finalAtMs: null, text: 'hm' },
    ]);
    expect(result.words[0]).toMatchObject({ finalAtMs: null });
  });

  it('counts a segment whose words all vanished, and has no rate without final words', () => {
    const result = track([
      { at: 1, text: 'hm' },
      { at: 2, text: '', final: true },
    ]);
    expect(result).toMatchObject({ words: [], changedWords: 1, upwr: null, upsr: 1 });
  });

  it('has no rates when nothing was observed', () => {
    expect(track([])).toEqual({
      words: [],
      segments: [],
      changedWords: 0,
      partialsNotPrefix: 0,
      upwr: null,
      upsr: null,
    });
  });

  it('ignores what comes after a final revision', () => {
    const result = track([
      { at: 1, text: 'done', final: true },
      { at: 2, text: 'other words', final: true },
    ]);
    expect(result.words.map(({ text }) => text)).toEqual(['done']);
    expect(result.changedWords).toBe(0);
  });

  const texts = fc.array(
    fc
      .array(fc.constantFrom('for', 'forest', 'a', 'an', 'sea', '–'), { maxLength: 4 })
      .map((list) => list.join(' ')),
    { minLength: 1, maxLength: 8 },
  );
  const steps = texts.map((list) =>
    list.map((text, index): Step => ({ at: index, text, final: index === list.length - 1 })),
  );

  it('never finds a word stable before it was first shown, nor either after the final', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const last = list.at(-1);
        const result = track(list);
        expect(result.words.map(({ text }) => text).join(' ')).toBe(last?.text);
        for (const { firstShownMs, stableSinceMs, finalAtMs } of result.words) {
          expect(firstShownMs).toBeLessThanOrEqual(stableSinceMs);
          expect(stableSinceMs).toBeLessThanOrEqual(finalAtMs ?? NaN);
        }
      }),
    );
  });

  it('is not disturbed by revisions that come twice', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const twice = list.flatMap((step) => [step, { ...step, at: step.at + 0.5 }]);
        expect(track(twice)).toEqual(track(list));
      }),
    );
  });

  it('finds no change in captions that only ever grow at their end', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('for', 'sea', 'a'), { minLength: 1, maxLength: 6 }), (list) => {
        const growing = list.map((_, index) => ({ at: index, text: list.slice(0, index + 1).join(' ') }));
        const result = track(growing);
        expect(result).toMatchObject({ changedWords: 0, partialsNotPrefix: 0 });
        expect(result.words.map(({ firstShownMs }) => firstShownMs)).toEqual(list.map((_, index) => index));
      }),
    );
  });
});
