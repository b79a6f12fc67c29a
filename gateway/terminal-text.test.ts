import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { terminalLine, terminalText } from './terminal-text.js';

describe('text of others for a terminal', () => {
  it.each([
    ['a colour and a title', '\x1b[31mred\x1b]0;title\x07', '\\u001b[31mred\\u001b]0;title\\u0007'],
    ['the one-character form of an escape', '\x9b2Jgone', '\\u009b2Jgone'],
    ['a carriage return over a line', 'good\rBAD', 'good\\u000dBAD'],
    ['text that is turned around', 'a\u202Eb\u2066c', 'a\\u202eb\\u2066c'],
  ])('shows %s instead of obeying it', (_, text, shown) => {
    expect(terminalText(text)).toBe(shown);
    expect(terminalLine(text)).toBe(shown);
  });

  it('leaves everything else as it is, lines only where there may be several', () => {
    const text = 'Élysée, 会议室, عربى, 👩‍🚀\tand\nmore';
    expect(terminalText(text)).toBe(text);
    expect(terminalLine(text)).toBe(text.replace('\t', '\\u0009').replace('\n', '\\u000a'));
  });

  it('property: no control is left, and JSON stays the same document', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(terminalLine(text)).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u);
        expect(JSON.parse(terminalText(JSON.stringify({ text }, null, 2)))).toEqual({ text });
      }),
    );
  });
});
