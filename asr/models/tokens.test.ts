import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionError } from '../../protocol/index.js';
import { detectTextStyle, parseTokens } from './tokens.js';

const piece = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[ \t\r\n]/.test(text));

describe('parseTokens', () => {
  it('gives back the pieces of any table, whatever the order of its lines', () => {
    const table = fc
      .array(piece, { minLength: 1, maxLength: 50 })
      .chain((pieces) =>
        fc.tuple(
          fc.constant(pieces),
          fc.shuffledSubarray([...pieces.keys()], { minLength: pieces.length }),
          fc.constantFrom(' ', '\t'),
          fc.constantFrom('\n', '\r\n'),
        ),
      );
    fc.assert(
      fc.property(table, ([pieces, order, gap, lineEnd]) => {
        const text = order.map((id) => `${pieces[id] ?? ''}${gap}${id}${lineEnd}`).join('');
        expect(parseTokens(text, 'tokens.txt')).toEqual(pieces);
      }),
    );
  });

  it('either parses a text or throws model_damaged, nothing else', () => {
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        fc.tuple(piece, fc.integer()).map((pair) => pair.join(' ')),
      ),
    );
    fc.assert(
      fc.property(lines, (list) => {
        try {
          expect(parseTokens(list.join('\n'), 'tokens.txt').length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(CaptionError);
          expect(error).toMatchObject({ code: 'model_damaged' });
        }
      }),
    );
  });

  it('takes a line with only a number for the piece " "', () => {
    expect(parseTokens('<blk> 0\n1\n', 't')).toEqual(['<blk>', ' ']);
  });

  it.each([
    ['nothing', '', /no tokens/],
    ['a hole in the ids', 'A 0\nB 2\n', /id 1 is missing/],
    ['an id twice', 'A 0\nB 0\n', /line 2 gives id 0 a second time/],
    ['a web page', '<!DOCTYPE html>\n<p>Not found</p>', /line 1 is not "piece id"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseTokens(text, 'tokens.txt')).toThrow(message);
  });
});

describe('detectTextStyle', () => {
  it.each([
    {
      what: 'upper, ignoring special pieces',
      pieces: ['<blk>', '<unk>', '#0', '\u2581HELLO', "'S"],
      casing: 'upper',
      punctuates: false,
    },
    {
      what: 'mixed with punctuation',
      pieces: ['<blk>', '\u2581Hello', '.', ','],
      casing: 'mixed',
      punctuates: true,
    },
    { what: 'lower', pieces: ['<blk>', '\u2581hello', '\u2581,'], casing: 'lower', punctuates: true },
    { what: 'no case at all', pieces: ['<blk>', '你', '好'], casing: 'upper', punctuates: false },
  ])('sees $what', ({ pieces, casing, punctuates }) => {
    expect(detectTextStyle(pieces)).toEqual({ casing, punctuates });
  });
});
