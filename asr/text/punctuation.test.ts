import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPunctuation } from './punctuation.js';

describe('putting punctuation back onto words', () => {
  it('gives each word its case and marks', () => {
    expect(applyPunctuation(['HOW', 'ARE', 'YOU', "I'M", 'FINE'], "How are you? I'm fine.")).toEqual([
      'How',
      'are',
      'you?',
      "I'm",
      'fine.',
    ]);
  });

  it('takes a mark that stands alone to the word before it', () => {
    expect(applyPunctuation(['quoi', 'encore'], 'Quoi ? Encore !')).toEqual(['Quoi?', 'Encore!']);
  });

  it('refuses a text with other words', () => {
    expect(applyPunctuation(['one', 'two'], 'One three.')).toBeUndefined();
    expect(applyPunctuation(['one', 'two'], 'One.')).toBeUndefined();
    expect(applyPunctuation([], 'Hello.')).toBeUndefined();
  });

  it('always gives one text per word, or nothing', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const mark = fc.constantFrom('', ',', '.', '?', '!', ' ;');
    fc.assert(
      fc.property(fc.array(fc.tuple(word, mark), { maxLength: 20 }), (marked) => {
        const text = marked.map(([letters, sign]) => letters.toUpperCase() + sign).join(' ');
        expect(
          applyPunctuation(
            marked.map(([letters]) => letters),
            text,
          ),
        ).toHaveLength(marked.length);
      }),
    );
  });
});
