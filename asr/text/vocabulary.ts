import { CaptionError, visibleLine } from '../../protocol/index.js';

export const MAX_VOCABULARY_PHRASES = 1000;
export const MAX_PHRASE_CHARACTERS = 100;
/** Of all phrases together, in UTF-8. Every recogniser compiles them and keeps the result. */
export const MAX_VOCABULARY_BYTES = 16_000;

/**
 * Names and terms as somebody wrote them: on one line, without what cannot be seen, empty ones and repetitions left out.
 * Throws CaptionError `vocabulary_invalid` above 1,000 phrases, 100 characters a phrase, or 16 kB together.
 */
export function parseVocabulary(lines: readonly string[]): string[] {
  const phrases = new Set<string>();
  let sizeBytes = 0;
  for (const line of lines) {
    const phrase = visibleLine(line);
    if (phrase === '' || phrases.has(phrase)) continue;
    if (phrase.length > MAX_PHRASE_CHARACTERS) {
      throw invalid(
        `A phrase of the vocabulary has ${phrase.length} characters; at most ${MAX_PHRASE_CHARACTERS} are allowed.`,
      );
    }
    phrases.add(phrase);
    sizeBytes += Buffer.byteLength(phrase);
    // At once: what is too much is not read to its end.
    if (phrases.size > MAX_VOCABULARY_PHRASES) {
      throw invalid(
        `The vocabulary has more than ${MAX_VOCABULARY_PHRASES} phrases; no more than that are allowed.`,
      );
    }
    if (sizeBytes > MAX_VOCABULARY_BYTES) {
      throw invalid(
        `The vocabulary is longer than ${MAX_VOCABULARY_BYTES} bytes of UTF-8, all phrases together; no more than that are allowed.`,
      );
    }
  }
  return [...phrases];
}

const invalid = (message: string): CaptionError => new CaptionError('vocabulary_invalid', message);
