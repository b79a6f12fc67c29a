import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { languageTag, primaryLanguage } from './language.js';
import { MAX_LANGUAGE_CHARS } from './limits.js';

describe('languageTag', () => {
  it.each([
    ['en', 'en'],
    ['EN', 'en'],
    ['en_US', 'en-US'],
    ['en-us', 'en-US'],
    ['fr_FR.UTF-8', 'fr-FR'],
    ['de_CH@euro', 'de-CH'],
    ['zh_hant_tw', 'zh-Hant-TW'],
    ['SR-LATN-rs', 'sr-Latn-RS'],
    ['eng', 'en'],
    ['iw', 'he'],
    [' fr ', 'fr'],
    ['sl-rozaj-biske-1994', 'sl-1994-biske-rozaj'],
  ])('reads "%s" as %s', (text, tag) => {
    expect(languageTag(text)).toBe(tag);
  });

  it.each([
    '',
    ' ',
    'e',
    '-en',
    'en-',
    'en US',
    'english language',
    'français',
    '日本',
    'en--US',
    'x'.repeat(36),
  ])('refuses "%s"', (text) => {
    expect(languageTag(text)).toBeUndefined();
  });

  it('gives what it would give again, and never throws', () => {
    const almostTags = fc
      .array(fc.constantFrom('en', 'FR', 'zh', 'hant', 'us', '001', 'u', 'x', 'ca', 'é', ''), {
        maxLength: 6,
      })
      .chain((parts) => fc.constantFrom('-', '_').map((separator) => parts.join(separator)));
    fc.assert(
      fc.property(fc.oneof(almostTags, fc.string({ maxLength: 80 })), (text) => {
        const tag = languageTag(text);
        if (tag === undefined) return;
        expect(tag).toMatch(/^[A-Za-z0-9-]+$/);
        expect(tag.length).toBeLessThanOrEqual(MAX_LANGUAGE_CHARS);
        expect(languageTag(tag)).toBe(tag);
        expect(languageTag(tag.toUpperCase())).toBe(tag);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('primaryLanguage', () => {
  it('is what comes before script and region', () => {
    expect(primaryLanguage('zh-Hant-TW')).toBe('zh');
    expect(primaryLanguage('en')).toBe('en');
  });
});
