/** Longest phrase, in words, that is looked for. */
const MAX_PHRASE_WORDS = 6;

/** A phrase found in a text: `words.length` words from `first` on are to be written like this. */
export interface SpelledPhrase {
  readonly first: number;
  readonly words: readonly string[];
}

/** Finds phrases of a vocabulary in words, whatever their case, longest first, from left to right. */
export class PhraseSpeller {
  /** Lower-case words joined by a space → the words as they are to be shown. */
  readonly #phrases = new Map<string, readonly string[]>();
  /** Beginnings of phrases, shorter than the phrase. */
  readonly #beginnings = new Set<string>();

  constructor(vocabulary: readonly string[]) {
    for (const phrase of vocabulary) {
      const words = phrase.split(' ');
      if (words.length > MAX_PHRASE_WORDS) continue;
      this.#phrases.set(keyOf(words), words);
      for (let length = 1; length < words.length; length++)
        this.#beginnings.add(keyOf(words.slice(0, length)));
    }
  }

  find(words: readonly string[]): SpelledPhrase[] {
    const found: SpelledPhrase[] = [];
    for (let first = 0; first < words.length;) {
      const spelled = this.#longestAt(words, first);
      if (spelled !== undefined) found.push({ first, words: spelled });
      first += spelled?.length ?? 1;
    }
    return found;
  }

  /**
   * Index of the first word that may yet become part of a phrase: the last word, which can still grow ("sui" to "suite"),
   * or the first of the words before it that a phrase begins with. 0 without words.
   */
  firstUnsettled(words: readonly string[]): number {
    const settled = words.slice(0, -1);
    for (let first = Math.max(0, settled.length - MAX_PHRASE_WORDS); first < settled.length; first++) {
      const key = keyOf(settled.slice(first));
      if (this.#beginnings.has(key) || this.#beginnings.has(withoutMarks(key).bare)) return first;
    }
    return settled.length;
  }

  #longestAt(words: readonly string[], first: number): readonly string[] | undefined {
    if (this.#phrases.size === 0) return undefined;
    for (let length = Math.min(MAX_PHRASE_WORDS, words.length - first); length > 0; length--) {
      const spelled = this.#spelling(keyOf(words.slice(first, first + length)));
      if (spelled !== undefined) return spelled;
    }
    return undefined;
  }

  /** Marks that a punctuating model put around the phrase stay: "la suite meet," becomes "La Suite Meet,". */
  #spelling(key: string): readonly string[] | undefined {
    const exact = this.#phrases.get(key);
    if (exact !== undefined) return exact;
    const { before, bare, after } = withoutMarks(key);
    const spelled = this.#phrases.get(bare);
    return spelled && `${before}${spelled.join(' ')}${after}`.split(' ');
  }
}

/** What is looked up: lower case, apostrophes of one kind, and between the words one space. */
const keyOf = (words: readonly string[]): string => words.join(' ').toLowerCase().replaceAll('’', "'");

/** Quotes, brackets and sentence marks that stand directly before and after a phrase. */
const MARKS_AROUND = /^(?<before>["'«“‘(¿¡]*)(?<bare>.*?)(?<after>[.,;:!?…)»”"']*)$/u;

function withoutMarks(key: string): { before: string; bare: string; after: string } {
  const { before = '', bare = key, after = '' } = MARKS_AROUND.exec(key)?.groups ?? {};
  return { before, bare, after };
}
