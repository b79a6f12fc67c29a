import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseWords, wordKey } from './words.js';

describe('normaliseWords', () => {
  it.each([
    ['Printing, in the only sense.', ['printing', 'in', 'the', 'only', 'sense']],
    ["Isn't it? 'Tis O’Brien’s dogs'.", ["isn't", 'it', 'tis', "o'brien's", 'dogs']],
    ["L'été à la Suite Meet…", ["l'été", 'à', 'la', 'suite', 'meet']],
    ['well-known — 3.5 % (U.S.)', ['well', 'known', '3', '5', 'u', 's']],
    ['ＦＵＬＬ ﬁne cafe\u0301 co\u00adop', ['full', 'fine', 'café', 'coop']],
    ['STRASSE Straße', ['strasse', 'straße']],
    ['  ... ', []],
    ['', []],
  ])('turns %j into %j', (text, words) => {
    expect(normaliseWords(text)).toEqual(words);
  });

  it('changes nothing when it is applied again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const words = normaliseWords(text);
        expect(normaliseWords(words.join(' '))).toEqual(words);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('wordKey', () => {
  it('is the same for a word with and without punctuation and capitals', () => {
    expect(wordKey('Forest.')).toBe(wordKey('forest'));
  });

  it('joins the parts of a compound and is empty for punctuation', () => {
    expect(wordKey('well-known')).toBe('well known');
    expect(wordKey('–')).toBe('');
  });
});
