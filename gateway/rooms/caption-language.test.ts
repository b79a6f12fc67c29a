import { describe, expect, it } from 'vitest';
import { textWith } from '../testing/matchers.js';
import { languageChooser } from './caption-language.js';

const model = { id: 'm', languages: ['zh', 'en'] };

describe('the language of a speaker', () => {
  it.each([
    [undefined, 'zh'],
    ['', 'zh'],
    ['en', 'en'],
    ['en-GB', 'en-GB'],
    ['EN', 'en'],
    ['en_us', 'en-US'],
    ['eng', 'en'],
    ['zh-Hant-TW', 'zh-Hant-TW'],
  ])('of a bilingual model is, with %s asked for, %s', (wanted, chosen) => {
    expect(languageChooser(model, '')(wanted)).toBe(chosen);
  });

  it('is the gateway’s where none is asked for', () => {
    const choose = languageChooser(model, 'en_AU');
    expect(choose()).toBe('en-AU');
    expect(choose('zh')).toBe('zh');
  });

  it.each(['fr', 'fr-FR', 'de'])('is not %s, and the error names what the model knows', (wanted) => {
    const unsupported: unknown = expect.objectContaining({
      code: 'language_unsupported',
      message: textWith('zh, en'),
    });
    expect(() => languageChooser(model, '')(wanted)).toThrow(unsupported);
    expect(() => languageChooser(model, wanted)).toThrow(unsupported);
  });

  it.each(['e', '-en', 'english language'])('is not "%s", and the error says how to write one', (wanted) => {
    expect(() => languageChooser(model, '')(wanted)).toThrow(
      expect.objectContaining({ code: 'language_unsupported', message: textWith('BCP 47') }),
    );
  });

  it('is believed when the model does not tell its languages', () => {
    expect(languageChooser({ id: 'm', languages: [] }, '')('br')).toBe('br');
    expect(languageChooser({ id: 'm', languages: [] }, '')()).toBe('');
  });
});
