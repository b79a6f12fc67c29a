import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NAME_CHARS } from './limits.js';
import { shownName } from './shown-name.js';

/** Letters, and all kinds of characters that are not seen or turn text around. */
const nastyText = fc
  .array(
    fc.oneof(
      fc.constantFrom('a', 'é', 'ع', 'क', '辻', '👩', '💻', '🏽', ' ', '1'),
      fc.constantFrom(
        '\u202E',
        '\u2066',
        '\u200B',
        '\u200C',
        '\u200D',
        '\uFE0F',
        '\u3164',
        '\u2800',
        '\u115F',
        '\uD83D',
        '\u0301',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 300 },
  )
  .map((parts) => parts.join(''));

describe('the name under which somebody is shown', () => {
  it.each([
    ['Ana López', 'Ana López'],
    ['  Ana\tLópez \r\n', 'Ana López'],
    ['\u202EzepóL anA', 'zepóL anA'],
    ['Ana\u2066\u2069\u200F López\u061C', 'Ana López'],
    ['Ana\u200B\u2060\uFEFF\u00AD', 'Ana'],
    ['A\u200Cn\u200Da', 'Ana'],
    ['Ana\u0000\u001B[31m', 'Ana[31m'],
    ['Ana\u2028López', 'Ana López'],
    ['Ana\uD83D', 'Ana'],
    ['(-:', '(-:'],
    ['+33 1 23 45 67 89', '+33 1 23 45 67 89'],
  ])('of %j is %j', (name, shown) => {
    expect(shownName(name, 'ana')).toBe(shown);
  });

  it.each([
    'علی\u200Cرضا',
    'ශ්\u200Dරී',
    '👩\u200D💻 Ana',
    '👩🏽\u200D💻',
    '❤\uFE0F Zoé',
    '辻\u{E0100}',
    '葛\uFE00城',
    'Nguyễn Thị',
    'שָׁלוֹם',
    'ཨོཾ་མ་ཎི',
  ])('keeps what belongs to %s', (name) => {
    expect(shownName(name, 'ana')).toBe(name);
  });

  it.each([
    '',
    ' ',
    '\u200B',
    '\u3164',
    '\u2800',
    '\u115F',
    '\uFFA0\u1160',
    '\u0301',
    '\u{1D159}',
    '\uFE0F',
    '\u202E',
  ])('is the identity where nothing is seen of %j', (name) => {
    expect(shownName(name, 'ana-7')).toBe('ana-7');
  });

  it('guards an identity as it does a name, and shows something even where neither has anything visible', () => {
    expect(shownName('', 'ana\u202E-7')).toBe('ana-7');
    expect(shownName('\u200B', '\u3164\u200B')).toBe('U+3164 U+200B');
    expect(shownName('', '')).toBe('?');
  });

  it('does not let marks be piled up over the neighbouring lines', () => {
    expect(shownName(`Z${'\u0301'.repeat(200)}oe`, 'zoe')).toBe(`Z${'\u0301'.repeat(8)}oe`);
  });

  it('is cut at a whole character', () => {
    expect(shownName('a'.repeat(255) + '👩', 'ana')).toBe('a'.repeat(255));
    expect(shownName('\u0001'.repeat(1000) + 'Ana', 'ana')).toBe('Ana');
  });

  it('is never empty, too long, or of characters that hide or turn what stands beside it, and is its own shown name', () => {
    fc.assert(
      fc.property(nastyText, nastyText, (name, identity) => {
        const shown = shownName(name, identity);
        expect(shown.trim()).toBe(shown);
        expect(shown).toMatch(/[\p{L}\p{N}\p{P}\p{S}\p{Co}]/u);
        expect(shown.length).toBeLessThanOrEqual(MAX_NAME_CHARS);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u200B\u2028\u2029\u3164\u2800\u115F\n]/u);
        expect(shownName(shown, 'another')).toBe(shown);
      }),
      { numRuns: 300 },
    );
  });
});
