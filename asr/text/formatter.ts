/**
 * How recognised words are shown: one text per word, so that times stay attached. Pure.
 *
 * Incremental by design: another word at the end changes only words that `stableCount` does not count.
 */
import { PhraseSpeller } from './phrase-speller.js';

export interface FormatterOptions {
  /** BCP 47; empty when unknown. */
  readonly language: string;
  /** How the model writes. `mixed`: its case is kept. */
  readonly casing: 'upper' | 'lower' | 'mixed';
  /** The model writes punctuation itself. */
  readonly punctuates: boolean;
  /** Names and terms with the spelling to show, as from `parseVocabulary`. */
  readonly vocabulary: readonly string[];
}

export interface SentenceContext {
  /** The first word begins a sentence. */
  readonly startsSentence: boolean;
  /** The last word ends one. */
  readonly endsSentence: boolean;
}

export interface Formatter {
  /** As many texts as words. */
  format(words: readonly string[], context: SentenceContext): string[];
  /** How many leading words stay as they are whatever words follow. The last word never does: it may still grow. */
  stableCount(words: readonly string[]): number;
}

const ENGLISH_I = /^i(?:'(?:m|ll|ve|d|s|re))?$/;
const ENDS_SENTENCE = /[.!?…。！？]["'»”’)]*$/u;
const IDEOGRAPHIC = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u;

export function createFormatter(options: FormatterOptions): Formatter {
  const speller = new PhraseSpeller(options.vocabulary);
  const isEnglish = /^en\b/i.test(options.language);
  const keepsCase = options.casing === 'mixed';

  const withCase = (words: readonly string[], startsSentence: boolean): string[] => {
    if (keepsCase) return [...words];
    return words.map((word, index) => {
      const lower = toLower(word, options.language);
      const isCapital = (index === 0 && startsSentence) || (isEnglish && ENGLISH_I.test(lower));
      return isCapital ? capitalised(lower, options.language) : lower;
    });
  };
  return {
    format(words, { startsSentence, endsSentence }) {
      const shown = withCase(words, startsSentence);
      for (const phrase of speller.find(words)) {
        phrase.words.forEach((text, index) => (shown[phrase.first + index] = text));
      }
      const last = shown.at(-1);
      if (endsSentence && !options.punctuates && last !== undefined)
        shown[shown.length - 1] = withFullStop(last);
      return shown;
    },
    stableCount: (words) => speller.firstUnsettled(words),
  };
}

/** Languages differ: Turkish has an i of its own. An unknown tag falls back to the rules of most. */
function toLower(word: string, language: string): string {
  try {
    return word.toLocaleLowerCase(language === '' ? 'en' : language);
  } catch {
    return word.toLowerCase();
  }
}

function capitalised(word: string, language: string): string {
  const [first = ''] = word;
  try {
    return first.toLocaleUpperCase(language === '' ? 'en' : language) + word.slice(first.length);
  } catch {
    return first.toUpperCase() + word.slice(first.length);
  }
}

function withFullStop(word: string): string {
  if (ENDS_SENTENCE.test(word)) return word;
  return `${word}${IDEOGRAPHIC.test(word) ? '。' : '.'}`;
}
