/** What two texts are compared by: the one normaliser behind every word error rate and word latency of the project. */

/** A word: letters, marks and digits, with single apostrophes inside. */
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:'[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*/gu;
/** Typographic apostrophes, and the marks people type in their place. */
const APOSTROPHES = /[\u2019\u2018\u02bc\u00b4`]/gu;
/** Soft hyphens, joiners, direction marks. */
const INVISIBLE = /\p{Cf}/gu;

/**
 * The words of a text, normalised in this order: apostrophes of every kind become `'`; invisible characters go; Unicode NFKC;
 * lower case (of no particular language); then everything that is not a letter, mark or digit, or an apostrophe inside a
 * word, separates words. So "Well-known, isn't it?" is [well, known, isn't, it], and "3.5" is [3, 5].
 * Numbers are not spelled out. Scripts without spaces are not cut into words: a run of Chinese characters is one word.
 */
export function normaliseWords(text: string): string[] {
  const folded = text.replace(APOSTROPHES, "'").replace(INVISIBLE, '').normalize('NFKC').toLowerCase();
  return folded.normalize('NFKC').match(WORD) ?? [];
}

/**
 * What one shown word is compared by: `normaliseWords` joined by spaces. "Well-known," has the key "well known"; a word of
 * punctuation alone has the empty key.
 */
export const wordKey = (word: string): string => normaliseWords(word).join(' ');
