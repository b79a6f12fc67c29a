import { describe, expect, it } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { RecognisedWord } from '../token.js';
import { endpointSilenceSamples, hardCutSample, wordlessCutSample } from './segmentation.js';

const ms = (durationMs: number): number => msToSamples(durationMs);

/** Words whose tokens come at these times, in milliseconds: first and last. */
const words = (...tokenTimesMs: readonly (readonly [number, number])[]): RecognisedWord[] =>
  tokenTimesMs.map(([firstMs, lastMs], index) => ({
    text: `w${index}`,
    startSample: sampleIndex(ms(firstMs - 200)),
    endSample: sampleIndex(ms(lastMs)),
    firstTokenSample: sampleIndex(ms(firstMs)),
    lastTokenSample: sampleIndex(ms(lastMs)),
    isCommitted: true,
  }));

const cut = (options: {
  words: RecognisedWord[];
  decodedMs: number;
  settledWords?: number;
  startMs?: number;
}): number | undefined =>
  hardCutSample({
    words: options.words,
    segmentStartSample: ms(options.startMs ?? 0),
    decodedThroughSample: ms(options.decodedMs),
    settledWords: options.settledWords ?? 0,
  });

describe('endpointSilenceSamples', () => {
  it('wants 500 ms of silence, 240 ms in a long segment, and leaves the longest ones to the hard cut', () => {
    expect(
      [0, 11_999, 12_000, 18_499, 18_500, 60_000].map((length) => endpointSilenceSamples(ms(length))),
    ).toEqual([ms(500), ms(500), ms(240), ms(240), Infinity, Infinity]);
  });
});

describe('hardCutSample', () => {
  it('does not cut before 18.5 s, whatever the pause', () => {
    expect(cut({ words: words([1000, 1100], [17_000, 17_100]), decodedMs: 18_499 })).toBeUndefined();
  });

  it('cuts at first only in a wide pause, at 20 s in any', () => {
    const near = words([18_000, 18_100], [18_300, 18_400]);
    expect(cut({ words: near, decodedMs: 18_500 })).toBeUndefined();
    const laterWords = words([19_500, 19_650], [19_750, 19_900]);
    expect(cut({ words: laterWords, decodedMs: 19_999 })).toBe(ms(19_700));
  });

  it('cuts behind the last word when that is where the pause is, so that no word moves', () => {
    const spoken = words([17_000, 17_200], [17_300, 17_500]);
    expect(cut({ words: spoken, decodedMs: 18_700 })).toBe(ms(18_000));
  });

  it('cuts before the last word when the pause is wider there', () => {
    const spoken = words([17_000, 17_200], [18_200, 18_600]);
    expect(cut({ words: spoken, decodedMs: 18_700 })).toBe(ms(17_700));
  });

  it('never moves a word that was told as stable', () => {
    const spoken = words([17_000, 17_200], [18_200, 18_600]);
    expect(cut({ words: spoken, decodedMs: 18_700, settledWords: 2 })).toBeUndefined();
    expect(cut({ words: spoken, decodedMs: 20_100, settledWords: 2 })).toBe(ms(19_250));
  });

  it('measures from where the segment begins', () => {
    const spoken = words([47_000, 47_200], [47_300, 47_500]);
    expect(cut({ words: spoken, decodedMs: 48_700, startMs: 40_000 })).toBeUndefined();
    expect(cut({ words: spoken, decodedMs: 48_700, startMs: 30_000 })).toBe(ms(48_000));
  });

  it('has nothing to cut without words, nor while the last word may still go on', () => {
    expect(cut({ words: [], decodedMs: 25_000 })).toBeUndefined();
    expect(cut({ words: words([19_000, 19_950]), decodedMs: 20_100 })).toBeUndefined();
  });
});

describe('wordlessCutSample', () => {
  const wordless = (tokens: RecognisedWord[], decodedMs: number) =>
    wordlessCutSample({ words: tokens, segmentStartSample: 0, decodedThroughSample: ms(decodedMs) });

  it('ends a sentence in the middle of 1.5 s without a word', () => {
    expect(wordless(words([500, 700], [900, 1000]), 2499)).toBeUndefined();
    expect(wordless(words([500, 700], [900, 1000]), 2500)).toEqual({
      endSample: ms(1000),
      cutSample: ms(1750),
    });
  });

  it('ends nothing where nothing was said, or where a segment is long enough for a hard cut', () => {
    expect(wordless([], 10_000)).toBeUndefined();
    expect(wordless(words([500, 700]), 18_500)).toBeUndefined();
  });
});
