/** Words as they are to be read: with their capitals, and with punctuation as words of its own. */

const TOKEN = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:'[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*|[.,;:?!…]/gu;
const APOSTROPHES = /[\u2019\u2018\u02bc\u00b4`]/gu;
const INVISIBLE = /\p{Cf}/gu;

/**
 * What the case- and punctuation-aware word error rate compares: as `normaliseWords`, but case stays, and each of `. , ; : ? ! …`
 * is a word. Quotation marks, hyphens and brackets separate words and count for nothing.
 */
export function formattedWords(text: string): string[] {
  return text.replace(APOSTROPHES, "'").replace(INVISIBLE, '').normalize('NFKC').match(TOKEN) ?? [];
}

/** Whether a transcript was written to be read: it has capitals, small letters and punctuation. */
export const isFormatted = (text: string): boolean =>
  text !== text.toUpperCase() && text !== text.toLowerCase() && /[.,;:?!]/.test(text);
