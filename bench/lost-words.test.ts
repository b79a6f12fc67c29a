import { describe, expect, it } from 'vitest';
import { fateOfWords, sumOfFates, type SeenSpeaker } from './lost-words.js';

const START_AT_MS = 5000;
const unixMs = (sinceStartMs: number): number => performance.timeOrigin + START_AT_MS + sinceStartMs;

/** Words of 400 ms, one a second from the given one on; they may stand in any order. */
const seen = (...words: readonly (readonly [text: string, second: number])[]): SeenSpeaker => ({
  startAtMs: START_AT_MS,
  tracking: {
    words: words.map(([text, second]) => ({
      text,
      startMs: unixMs(second * 1000),
      endMs: unixMs(second * 1000 + 400),
      firstShownMs: 0,
      stableSinceMs: 0,
      segment: 's',
      finalAtMs: null,
    })),
  },
});

const undisturbed = seen(['Is', 1], ['anything', 2], ['missing', 3], ['here?', 4]);
const gap = (fromSecond: number, toSecond: number) => ({
  startMs: unixMs(fromSecond * 1000),
  endMs: unixMs(toSecond * 1000),
});

describe('fateOfWords', () => {
  it('finds nothing where everything came, in whatever order it was shown', () => {
    const shown = seen(['Missing', 3], ['here', 4], ['is', 1], ['anything', 2]);
    expect(fateOfWords(undisturbed, shown, [])).toEqual({
      words: 4,
      lostSilently: 0,
      lostInToldGaps: 0,
      duplicated: 0,
      changed: 0,
    });
  });

  it('tells words that viewers were told of from those that just vanished', () => {
    const shown = seen(['is', 1]);
    expect(fateOfWords(undisturbed, shown, [gap(2.9, 4.5)])).toMatchObject({
      lostSilently: 1,
      lostInToldGaps: 2,
    });
  });

  it('takes a word at the edge of a gap for one of it, and one farther away not', () => {
    const shown = seen(['is', 1], ['missing', 3], ['here', 4]);
    expect(fateOfWords(undisturbed, shown, [gap(2.5, 3)])).toMatchObject({
      lostSilently: 0,
      lostInToldGaps: 1,
    });
    expect(fateOfWords(undisturbed, shown, [gap(3, 4)])).toMatchObject({
      lostSilently: 1,
      lostInToldGaps: 0,
    });
  });

  it('counts what was said twice, and what became another word', () => {
    const shown = seen(['is', 1], ['any', 2], ['missing', 3], ['missing', 3.5], ['here', 4]);
    expect(fateOfWords(undisturbed, shown, [])).toMatchObject({ duplicated: 1, changed: 1, lostSilently: 0 });
  });
});

describe('sumOfFates', () => {
  it('adds up', () => {
    const fate = { words: 4, lostSilently: 1, lostInToldGaps: 2, duplicated: 3, changed: 4 };
    expect(sumOfFates([fate, fate])).toEqual({
      words: 8,
      lostSilently: 2,
      lostInToldGaps: 4,
      duplicated: 6,
      changed: 8,
    });
    expect(sumOfFates([])).toMatchObject({ words: 0 });
  });
});
