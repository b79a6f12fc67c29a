import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msToSamples, sampleIndex } from '../../protocol/index.js';
import type { Token } from '../token.js';
import { wordsOf } from './words.js';

const token = (text: string, atMs: number, logProbability?: number): Token => ({
  text,
  atSample: sampleIndex(msToSamples(atMs)),
  ...(logProbability === undefined ? {} : { logProbability }),
});

const textsOf = (texts: readonly string[]): string[] =>
  wordsOf({ committed: texts.map((text, index) => token(text, 40 * index)), provisional: [] }).map(
    ({ text }) => text,
  );

describe('wordsOf', () => {
  it('joins the pieces of a word', () => {
    expect(textsOf([' THE', ' CAP', 'TION', 'S'])).toEqual(['THE', 'CAPTIONS']);
  });

  it('takes a first token without a space for the beginning of a word', () => {
    expect(textsOf(['HE', 'LLO', ' YOU'])).toEqual(['HELLO', 'YOU']);
  });

  it('begins a word after a space that is a token of its own, or ends one', () => {
    expect(textsOf([' ', 'A', ' ', 'B', 'C', ' '])).toEqual(['A', 'BC']);
    expect(textsOf(['A ', 'B'])).toEqual(['A', 'B']);
  });

  it('takes every ideograph for a word, and joins Latin pieces between them', () => {
    expect(textsOf(['今', '天', ' MON', 'DAY', '我', 'OK'])).toEqual(['今', '天', 'MONDAY', '我', 'OK']);
  });

  it('keeps apostrophes and whatever follows without a space with the word', () => {
    expect(textsOf([' IT', "'", 'S', ' ME', '.'])).toEqual(["IT'S", 'ME.']);
  });

  it('puts a word where it was spoken, which is before its tokens come out', () => {
    const [word] = wordsOf({ committed: [token(' HE', 1000), token('LLO', 1200)], provisional: [] });
    expect(word).toEqual({
      text: 'HELLO',
      startSample: msToSamples(740),
      endSample: msToSamples(1130),
      firstTokenSample: msToSamples(1000),
      lastTokenSample: msToSamples(1200),
      isCommitted: true,
    });
  });

  it('is as sure of a word as the geometric mean of its tokens', () => {
    const [both, one, none] = wordsOf({
      committed: [
        token(' A', 0, Math.log(0.9)),
        token('B', 40, Math.log(0.4)),
        token(' C', 80, 0),
        token(' D', 120),
      ],
      provisional: [],
    });
    expect(both?.confidence).toBeCloseTo(0.6, 5);
    expect(one?.confidence).toBe(1);
    expect(none).not.toHaveProperty('confidence');
  });

  it('takes a word for committed only when all of it is', () => {
    const words = wordsOf({
      committed: [token(' A', 0), token(' B', 40)],
      provisional: [token('C', 80), token(' D', 120)],
    });
    expect(words.map(({ text, isCommitted }) => [text, isCommitted])).toEqual([
      ['A', true],
      ['BC', false],
      ['D', false],
    ]);
  });

  it('orders the words in time, without overlap and not before the segment, and loses no letter', () => {
    const piece = fc.tuple(
      fc.constantFrom(' a', 'b', ' c', ' ', '我', 'd '),
      fc.nat(2000),
      fc.double({ max: 0, min: -9, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.nat(3000), fc.nat(10), (pieces, earliestMs, provisionalCount) => {
        const tokens = pieces.sort((a, b) => a[1] - b[1]).map(([text, atMs, log]) => token(text, atMs, log));
        const split = Math.max(0, tokens.length - provisionalCount);
        const earliest = msToSamples(earliestMs);
        const words = wordsOf(
          { committed: tokens.slice(0, split), provisional: tokens.slice(split) },
          earliest,
        );
        let end = earliest;
        for (const word of words) {
          expect(word.startSample).toBeGreaterThanOrEqual(end);
          expect(word.endSample).toBeGreaterThanOrEqual(word.startSample);
          expect(word.lastTokenSample).toBeGreaterThanOrEqual(word.firstTokenSample);
          expect(word.confidence).toBeGreaterThan(0);
          expect(word.confidence).toBeLessThanOrEqual(1);
          expect(word.text).not.toMatch(/^$|\s/);
          end = word.endSample;
        }
        const letters = tokens.map(({ text }) => text.trim()).join('');
        expect(words.map(({ text }) => text).join('')).toBe(letters);
      }),
    );
  });
});
