/** From tracked words to word latencies, by way of a reference that knows when each word ended. */
import { alignWords } from './alignment.js';
import type { TrackedWord } from './caption-tracker.js';
import { wordKey } from './words.js';

/** A word that was certainly said. */
export interface ReferenceWord {
  readonly text: string;
  /** End of the word, on the clock on which the captions were observed. */
  readonly endMs: number;
}

export interface MatchedWord {
  /** Place in the reference. */
  readonly referenceIndex: number;
  /** Place among the tracked words. */
  readonly wordIndex: number;
  /** From the end of the word to the moment it was first shown; negative when it was shown before its end. */
  readonly latencyMs: number;
  /** From the end of the word to the moment after which it never changed. */
  readonly stableLatencyMs: number;
}

/**
 * Aligns what was said with what was shown, and gives the latencies of the words that are the same in both; a word that was
 * recognised wrongly has none. Words are compared by `wordKey`; those without letters or digits are left out.
 * @throws CaptionError `alignment_too_long`.
 */
export function matchReferenceWords(options: {
  readonly reference: readonly ReferenceWord[];
  readonly words: readonly TrackedWord[];
}): MatchedWord[] {
  const reference = withKeys(options.reference);
  const shown = withKeys(options.words);
  const ops = alignWords(
    reference.map(({ key }) => key),
    shown.map(({ key }) => key),
  );
  return ops.flatMap((op) => {
    if (op.kind !== 'match') return [];
    const said = reference[op.referenceIndex];
    const seen = shown[op.hypothesisIndex];
    if (said === undefined || seen === undefined) return [];
    return [
      {
        referenceIndex: said.index,
        wordIndex: seen.index,
        latencyMs: seen.word.firstShownMs - said.word.endMs,
        stableLatencyMs: seen.word.stableSinceMs - said.word.endMs,
      },
    ];
  });
}

function withKeys<Word extends { readonly text: string }>(
  words: readonly Word[],
): { word: Word; index: number; key: string }[] {
  return words
    .map((word, index) => ({ word, index, key: wordKey(word.text) }))
    .filter(({ key }) => key !== '');
}
