import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFormatter, type FormatterOptions } from './formatter.js';

const formatter = (options: Partial<FormatterOptions> = {}): ReturnType<typeof createFormatter> =>
  createFormatter({ language: 'en', casing: 'upper', punctuates: false, vocabulary: [], ...options });

const whole = { startsSentence: true, endsSentence: true };
const words = (text: string): string[] => text.split(' ');

describe('formatting', () => {
  it('gives a model that shouts sentence case, "I" and a full stop', () => {
    const shown = formatter().format(words("SO I THINK I'M DONE AND I'LL GO"), whole);
    expect(shown.join(' ')).toBe("So I think I'm done and I'll go.");
  });

  it('begins small and ends open within a sentence', () => {
    const shown = formatter().format(words('AND THEN'), { startsSentence: false, endsSentence: false });
    expect(shown).toEqual(['and', 'then']);
  });

  it('leaves "i" alone in other languages', () => {
    expect(formatter({ language: 'de' }).format(['A', 'I'], whole)).toEqual(['A', 'i.']);
  });

  it('writes names as the vocabulary does, the longest first', () => {
    const spelled = formatter({ vocabulary: ['La Suite', 'La Suite Meet', "O'Brien", 'ProConnect'] });
    const shown = spelled.format(words("OPEN LA SUITE MEET WITH PROCONNECT SAID O'BRIEN"), whole);
    expect(shown.join(' ')).toBe("Open La Suite Meet with ProConnect said O'Brien.");
  });

  it('leaves the text of a model that writes properly as it is', () => {
    const proper = formatter({ language: 'fr', casing: 'mixed', punctuates: true, vocabulary: ['Élysée'] });
    expect(proper.format(['Bonjour,', 'palais', 'élysée', '!'], whole)).toEqual([
      'Bonjour,',
      'palais',
      'Élysée',
      '!',
    ]);
  });

  it('finds names between the marks of a model that punctuates, and keeps the marks', () => {
    const proper = formatter({
      language: 'fr',
      casing: 'mixed',
      punctuates: true,
      vocabulary: ['La Suite Meet', 'Élysée', "O'Brien", 'Yahoo!'],
    });
    const shown = proper.format(words('À l’ élysée, «la suite meet», o’brien. Et yahoo!'), whole);
    expect(shown.join(' ')).toBe("À l’ Élysée, «La Suite Meet», O'Brien. Et Yahoo!");
  });

  it('does not take words for a phrase that a mark keeps apart', () => {
    const proper = formatter({ casing: 'mixed', punctuates: true, vocabulary: ['Ada Lovelace'] });
    expect(proper.format(['ada,', 'lovelace'], whole)).toEqual(['ada,', 'lovelace']);
  });

  it('does not end a sentence twice, and ends Chinese with its own mark', () => {
    expect(formatter().format(['REALLY?'], whole)).toEqual(['Really?']);
    expect(formatter({ language: 'zh' }).format(['你', '好'], whole)).toEqual(['你', '好。']);
  });

  it('survives a language tag that is none', () => {
    expect(formatter({ language: 'not a tag' }).format(['HI'], whole)).toEqual(['Hi.']);
  });
});

describe('stability', () => {
  it('holds a phrase in the making back', () => {
    const spelled = formatter({ vocabulary: ['la suite meet'] });
    expect(spelled.stableCount(words('OPEN LA SUITE'))).toBe(1);
    expect(spelled.stableCount(words('OPEN LA SUITE MEET NOW'))).toBe(4);
    expect(spelled.stableCount([])).toBe(0);
  });

  it('holds a phrase back whose last word is still growing', () => {
    const spelled = formatter({ vocabulary: ['la suite meet'] });
    expect(spelled.stableCount(words('OPEN LA SUI'))).toBe(1);
    expect(spelled.stableCount(words('OPEN «LA SUI'))).toBe(1);
  });

  it('never changes a stable word, whatever follows and however the last word goes on', () => {
    const vocabulary = ['Ada Lovelace', 'Ada', 'B C D', 'C D A', 'I B', 'AB A'];
    const word = fc.constantFrom(
      'ADA',
      'LOVELACE',
      'LOVE',
      'B',
      'C',
      'D',
      'A',
      'AB',
      'I',
      "I'M",
      'ADA,',
      '«B',
    );
    const ending = fc.constantFrom('', 'B', 'DA', 'LACE', ',', "'M");
    const text = fc.record({
      now: fc.array(word, { minLength: 1, maxLength: 12 }),
      ending,
      more: fc.array(word, { maxLength: 6 }),
      startsSentence: fc.boolean(),
    });
    fc.assert(
      fc.property(text, ({ now, ending: grown, more, startsSentence }) => {
        const shown = formatter({ vocabulary });
        const later = [...now.slice(0, -1), `${now.at(-1) ?? ''}${grown}`, ...more];
        const before = shown.format(now, { startsSentence, endsSentence: false });
        const after = shown.format(later, { startsSentence, endsSentence: true });
        const stable = shown.stableCount(now);
        expect(after.slice(0, stable)).toEqual(before.slice(0, stable));
        expect(before).toHaveLength(now.length);
        expect(after).toHaveLength(later.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('counts more words as stable the more there are', () => {
    const shown = formatter({ vocabulary: ['A B', 'B A A'] });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('A', 'B', 'C'), { maxLength: 12 }),
        fc.constantFrom('A', 'B', 'C'),
        (now, next) => {
          expect(shown.stableCount([...now, next])).toBeGreaterThanOrEqual(shown.stableCount(now));
        },
      ),
    );
  });
});
