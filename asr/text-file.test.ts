import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from './text-file.js';

const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();

describe('decodeText', () => {
  it('property: the same text comes out, whatever the editor made of it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '▁', '会', '😀', ' ', '\n'), maxLength: 30 });
    const endings = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(text, endings, (plain, ending) => {
        const written = plain.replaceAll('\n', ending);
        const utf16 = Buffer.from(`\uFEFF${written}`, 'utf16le');
        for (const bytes of [Buffer.from(written), Buffer.from(`\uFEFF${written}`), utf16, swapped(utf16)])
          expect(decodeText(bytes)).toBe(plain);
      }),
    );
  });
});
