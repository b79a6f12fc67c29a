/**
 * Puts the output of a punctuation model back onto the words it was made from, one text per word, so that times stay
 * attached. Undefined when the model changed more than case and punctuation.
 */
export function applyPunctuation(words: readonly string[], punctuatedText: string): string[] | undefined {
  const marked: string[] = [];
  for (const piece of punctuatedText.split(/\s+/u)) {
    if (piece === '') continue;
    if (lettersOf(piece) !== '') marked.push(piece);
    // A mark that stands alone belongs to the word before it.
    else if (marked.length > 0) marked.push(`${marked.pop() ?? ''}${piece}`);
  }
  const isSame =
    marked.length === words.length &&
    marked.every((piece, index) => lettersOf(piece) === lettersOf(words[index] ?? ''));
  return isSame ? marked : undefined;
}

/** What a punctuation model must leave alone. */
const lettersOf = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, '');
