import { CaptionError } from '../../protocol/index.js';

export const MAX_VOCABULARY_PHRASES = 1000;
export const MAX_PHRASE_CHARACTERS = 100;

/**
 * Names and terms as somebody wrote them: trimmed, inner white space made single, empty ones and repetitions left out.
 * Throws CaptionError `vocabulary_invalid` above 1,000 phrases or 100 characters a phrase.
 */
export function parseVocabulary(lines: readonly string[]): string[] {
  const phrases = new Set<string>();
  for (const line of lines) {
    const phrase = line.trim().replace(/\s+/gu, ' ');
    if (phrase === '') continue;
    if (phrase.length > MAX_PHRASE_CHARACTERS) {
      throw new CaptionError(
        'vocabulary_invalid',
        `A phrase of the vocabulary has ${phrase.length} characters; at most ${MAX_PHRASE_CHARACTERS} are allowed.`,
      );
    }
    phrases.add(phrase);
  }
  if (phrases.size > MAX_VOCABULARY_PHRASES) {
    throw new CaptionError(
      'vocabulary_invalid',
      `The vocabulary has ${phrases.size} phrases; at most ${MAX_VOCABULARY_PHRASES} are allowed.`,
    );
  }
  return [...phrases];
}
