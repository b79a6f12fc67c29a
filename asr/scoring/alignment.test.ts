import { distance } from 'fastest-levenshtein';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignWords, compareTranscripts, MAX_ALIGNED_WORDS, wordErrorRate } from './alignment.js';

/** Few different words, so that texts have much in common. */
const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 15 });

const kinds = (reference: string, hypothesis: string): string =>
  alignWords(reference.split(''), hypothesis.split(''))
    .map((op) => op.kind.charAt(0))
    .join('');

describe('alignWords', () => {
  it.each([
    ['abc', 'abc', 'mmm'],
    ['abc', 'axc', 'msm'],
    ['abc', 'ac', 'mdm'],
    ['ac', 'abc', 'mim'],
    ['', 'ab', 'ii'],
    ['ab', '', 'dd'],
    ['', '', ''],
    ['ab', 'cd', 'ss'],
    ['abcd', 'bcdx', 'dmmmi'],
    ['abc', 'xabc', 'immm'],
    ['aab', 'ab', 'dmm'],
  ])('aligns %j with %j as %s', (reference, hypothesis, expected) => {
    expect(kinds(reference, hypothesis)).toBe(expected);
  });

  it('goes through both texts in order, each word once, and says match only of equal words', () => {
    fc.assert(
      fc.property(words, words, (reference, hypothesis) => {
        const ops = alignWords(reference, hypothesis);
        const indices = (side: 'referenceIndex' | 'hypothesisIndex'): number[] =>
          ops.flatMap((op) => op[side] ?? []);
        expect(indices('referenceIndex')).toEqual(reference.map((_, index) => index));
        expect(indices('hypothesisIndex')).toEqual(hypothesis.map((_, index) => index));
        for (const op of ops) {
          if (op.kind === 'match') expect(reference[op.referenceIndex]).toBe(hypothesis[op.hypothesisIndex]);
          if (op.kind === 'substitution') {
            expect(reference[op.referenceIndex]).not.toBe(hypothesis[op.hypothesisIndex]);
          }
        }
      }),
    );
  });

  it('needs no more edits than another implementation', () => {
    fc.assert(
      fc.property(words, words, (reference, hypothesis) => {
        const edits = alignWords(reference, hypothesis).filter((op) => op.kind !== 'match').length;
        expect(edits).toBe(distance(reference.join(''), hypothesis.join('')));
      }),
    );
  });

  it('takes a text of thousands of words', () => {
    const reference = Array.from({ length: 3_000 }, (_, index) => `word${index % 700}`);
    const hypothesis = reference.filter((_, index) => index % 100 !== 7);
    expect(wordErrorRate(reference, hypothesis)).toMatchObject({ deletions: 30, errors: 30 });
  });

  it('refuses texts that would take too much memory', () => {
    const long = new Array<string>(MAX_ALIGNED_WORDS + 1).fill('a');
    expect(() => alignWords(['a'], long)).toThrow(expect.objectContaining({ code: 'alignment_too_long' }));
    expect(() => alignWords(long, ['a'])).toThrow(expect.objectContaining({ code: 'alignment_too_long' }));
  });
});

describe('wordErrorRate', () => {
  it('counts errors by kind and divides by the words of the reference', () => {
    expect(wordErrorRate('abcdefg'.split(''), 'axcefgh'.split(''))).toEqual({
      errors: 3,
      substitutions: 1,
      deletions: 1,
      insertions: 1,
      referenceWords: 7,
      rate: 3 / 7,
    });
  });

  it('has no rate without a reference', () => {
    expect(wordErrorRate([], ['a'])).toMatchObject({
      errors: 1,
      insertions: 1,
      referenceWords: 0,
      rate: null,
    });
  });
});

describe('compareTranscripts', () => {
  it('counts what was lost, doubled and changed', () => {
    const undisturbed = 'we meet again on friday at ten'.split(' ');
    expect(compareTranscripts(undisturbed, undisturbed)).toEqual({
      lostWords: 0,
      duplicatedWords: 0,
      changedWords: 0,
    });
    expect(compareTranscripts(undisturbed, 'we meet again on friday on friday tan'.split(' '))).toEqual({
      lostWords: 0,
      duplicatedWords: 1,
      changedWords: 2,
    });
  });
});
