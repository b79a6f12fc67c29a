import { describe, expect, it } from 'vitest';
import { chooseLanguage } from './caption-language.js';
import { textWith } from '../testing/matchers.js';

const model = { id: 'm', languages: ['zh', 'en'] };

describe('chooseLanguage', () => {
  it.each([
    [undefined, 'zh'],
    ['en', 'en'],
    ['en-GB', 'en-GB'],
    ['EN', 'EN'],
    ['zh-Hant-TW', 'zh-Hant-TW'],
  ])('of a bilingual model turns %s into %s', (wanted, chosen) => {
    expect(chooseLanguage(model, wanted)).toBe(chosen);
  });

  it.each(['fr', 'e', 'eng', '', '-en'])('refuses "%s", and names what the model knows', (wanted) => {
    expect(() => chooseLanguage(model, wanted)).toThrow(
      expect.objectContaining({ code: 'language_unsupported', message: textWith('zh, en') }),
    );
  });

  it('believes the speaker when the model does not tell its languages', () => {
    expect(chooseLanguage({ id: 'm', languages: [] }, 'br')).toBe('br');
    expect(chooseLanguage({ id: 'm', languages: [] }, undefined)).toBe('');
  });
});
