import { languageTag, primaryLanguage } from '../../../protocol/index.js';

type MaskWord = (word: string) => string;

/** Languages of which there is a list; the lists are loaded when one is needed. */
const LISTS: Readonly<Record<string, () => Promise<{ readonly default: readonly string[] }>>> = {
  de: () => import('naughty-words/de.json', { with: { type: 'json' } }),
  en: () => import('naughty-words/en.json', { with: { type: 'json' } }),
  es: () => import('naughty-words/es.json', { with: { type: 'json' } }),
  fr: () => import('naughty-words/fr.json', { with: { type: 'json' } }),
  it: () => import('naughty-words/it.json', { with: { type: 'json' } }),
  nl: () => import('naughty-words/nl.json', { with: { type: 'json' } }),
  pt: () => import('naughty-words/pt.json', { with: { type: 'json' } }),
};

const AROUND = /^([^\p{L}\p{N}]*)(.*?)([^\p{L}\p{N}]*)$/su;

/** Masks swear words: "f•••". Of a language without a list, and while a list is on its way, words stay as they are. */
export class ProfanityMask {
  readonly #words = new Map<string, ReadonlySet<string> | undefined>();
  readonly #loaded: () => void;

  /** `loaded` is called when words may look different from now on. */
  constructor(loaded: () => void) {
    this.#loaded = loaded;
  }

  /** `language`: BCP 47; empty when unknown. */
  readonly mask = (word: string, language: string): string => {
    const words = this.#listOf(primaryLanguage(languageTag(language) ?? ''));
    return words === undefined ? word : maskWith(words)(word);
  };

  #listOf(language: string): ReadonlySet<string> | undefined {
    if (this.#words.has(language)) return this.#words.get(language);
    this.#words.set(language, undefined);
    LISTS[language]?.().then(
      ({ default: list }) => {
        // Captions come word by word: phrases are not looked for.
        this.#words.set(language, new Set(list.filter((entry) => !entry.includes(' ')).map(fold)));
        this.#loaded();
      },
      // As without a list; the next page asks again.
      () => undefined,
    );
    return undefined;
  }
}

const fold = (word: string): string => word.normalize('NFKC').toLowerCase();

const maskWith =
  (words: ReadonlySet<string>): MaskWord =>
  (word) => {
    const [, before = '', inner = '', after = ''] = AROUND.exec(word) ?? [];
    if (!words.has(fold(inner))) return word;
    const [first = '', ...rest] = inner;
    return `${before}${first}${'•'.repeat(rest.length)}${after}`;
  };
