import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptionError } from '../../protocol/index.js';
import { parseVocabulary } from './vocabulary.js';

describe('a vocabulary', () => {
  it('is trimmed and has no phrase twice', () => {
    expect(parseVocabulary(['  La  Suite ', '', 'Ada', 'Ada', '   '])).toEqual(['La Suite', 'Ada']);
  });

  it('has nothing in it that cannot be seen or turns captions around', () => {
    expect(parseVocabulary(['\u202eAda\u202c', 'A\u200bda', '\u2066', 'La\u00a0Suite'])).toEqual([
      'Ada',
      'La Suite',
    ]);
  });

  it('is bounded in phrases and characters', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `phrase ${index}`);
    expect(() => parseVocabulary(many)).toThrow(expect.objectContaining({ code: 'vocabulary_invalid' }));
    expect(() => parseVocabulary(['x'.repeat(101)])).toThrow(CaptionError);
    expect(parseVocabulary(many.slice(0, 1000))).toHaveLength(1000);
  });

  it('is bounded in bytes, all phrases together, and says how many are allowed', () => {
    const greek = Array.from({ length: 99 }, (_, index) => `${index}`.padEnd(81, 'Ω'));
    expect(parseVocabulary(greek)).toEqual(greek);
    expect(() => parseVocabulary([...greek, ...greek])).not.toThrow();
    expect(() => parseVocabulary([...greek, 'Ω'.repeat(100)])).toThrow(
      expect.objectContaining({
        code: 'vocabulary_invalid',
        message: expect.stringContaining('16000 bytes') as string,
      }),
    );
  });

  it('stays what it is when parsed again', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 100 }), { maxLength: 20 }), (lines) => {
        const once = parseVocabulary(lines);
        expect(parseVocabulary(once)).toEqual(once);
      }),
    );
  });
});
