import { describe, expect, it } from 'vitest';
import type { TrackedWord } from './caption-tracker.js';
import { matchReferenceWords } from './word-latency.js';

const shown = (text: string, firstShownMs: number, stableSinceMs = firstShownMs): TrackedWord => ({
  text,
  startMs: 0,
  endMs: 0,
  firstShownMs,
  stableSinceMs,
  segment: 's1',
  finalAtMs: null,
});

describe('matchReferenceWords', () => {
  it('gives the latencies of words that were recognised, whatever their punctuation', () => {
    const reference = [
      { text: 'in', endMs: 100 },
      { text: 'the', endMs: 200 },
      { text: 'forest', endMs: 600 },
    ];
    const words = [shown('In', 350), shown('the', 500), shown('Forest.', 900, 1_100)];
    expect(matchReferenceWords({ reference, words })).toEqual([
      { referenceIndex: 0, wordIndex: 0, latencyMs: 250, stableLatencyMs: 250 },
      { referenceIndex: 1, wordIndex: 1, latencyMs: 300, stableLatencyMs: 300 },
      { referenceIndex: 2, wordIndex: 2, latencyMs: 300, stableLatencyMs: 500 },
    ]);
  });

  it('leaves out words that were recognised wrongly, missed or invented', () => {
    const reference = ['one', 'two', 'three', 'four', 'five'].map((text, index) => ({ text, endMs: index }));
    const words = [
      shown('well', 9),
      shown('one', 10),
      shown('too', 11),
      shown('three', 12),
      shown('five', 13),
    ];
    expect(
      matchReferenceWords({ reference, words }).map(({ referenceIndex, wordIndex }) => [
        referenceIndex,
        wordIndex,
      ]),
    ).toEqual([
      [0, 1],
      [2, 3],
      [4, 4],
    ]);
  });

  it('keeps places right when a word is punctuation alone', () => {
    const reference = [
      { text: '–', endMs: 5 },
      { text: 'yes', endMs: 10 },
    ];
    expect(matchReferenceWords({ reference, words: [shown('…', 1), shown('Yes', 30)] })).toEqual([
      { referenceIndex: 1, wordIndex: 1, latencyMs: 20, stableLatencyMs: 20 },
    ]);
  });

  it('is empty when nothing was said or shown', () => {
    expect(matchReferenceWords({ reference: [], words: [] })).toEqual([]);
  });
});
