/** Word by word comparison of two texts, and what follows from it. Words are compared as they are: normalise them first. */
import { CaptionError } from '../../protocol/index.js';

/** One step of an alignment. An index is absent where the word stands in the other text only. */
export type AlignmentOp =
  | {
      readonly kind: 'match' | 'substitution';
      readonly referenceIndex: number;
      readonly hypothesisIndex: number;
    }
  | { readonly kind: 'deletion'; readonly referenceIndex: number; readonly hypothesisIndex?: never }
  | { readonly kind: 'insertion'; readonly referenceIndex?: never; readonly hypothesisIndex: number };

/** Longest text that is aligned, in words: two of this length take 100 MB for a moment, and seconds. */
export const MAX_ALIGNED_WORDS = 20_000;

/**
 * Levenshtein alignment with unit costs, in the order of the texts. Where several are equally short: a match or substitution
 * rather than a deletion, that rather than an insertion, decided from the end. Takes time and a quarter of a byte of memory
 * for each pair of words.
 * @throws CaptionError `alignment_too_long` above `MAX_ALIGNED_WORDS` in either text.
 */
export function alignWords(reference: readonly string[], hypothesis: readonly string[]): AlignmentOp[] {
  if (Math.max(reference.length, hypothesis.length) > MAX_ALIGNED_WORDS) {
    throw new CaptionError(
      'alignment_too_long',
      `Texts of ${reference.length} and ${hypothesis.length} words are too long to align; ` +
        `compare pieces of at most ${MAX_ALIGNED_WORDS} words.`,
    );
  }
  const [referenceIds, hypothesisIds] = numberWords(reference, hypothesis);
  const steps = fillSteps(referenceIds, hypothesisIds);
  const ops: AlignmentOp[] = [];
  let row = referenceIds.length;
  let column = hypothesisIds.length;
  while (row > 0 || column > 0) {
    const step = steps.get(row, column);
    if (step === DELETE) {
      ops.push({ kind: 'deletion', referenceIndex: --row });
    } else if (step === INSERT) {
      ops.push({ kind: 'insertion', hypothesisIndex: --column });
    } else {
      const kind = referenceIds[--row] === hypothesisIds[--column] ? 'match' : 'substitution';
      ops.push({ kind, referenceIndex: row, hypothesisIndex: column });
    }
  }
  return ops.reverse();
}

/** Equal words get equal numbers: comparing numbers is what makes long texts bearable. */
function numberWords(...texts: [readonly string[], readonly string[]]): [Int32Array, Int32Array] {
  const ids = new Map<string, number>();
  const numbersOf = (words: readonly string[]): Int32Array =>
    Int32Array.from(words, (word) => {
      const id = ids.get(word) ?? ids.size;
      ids.set(word, id);
      return id;
    });
  return [numbersOf(texts[0]), numbersOf(texts[1])];
}

const DIAGONAL = 0;
const DELETE = 1;
const INSERT = 2;

/** For each pair of prefixes the last step of their best alignment, two bits each. */
class StepTable {
  readonly #columns: number;
  readonly #bits: Uint8Array;

  constructor(rows: number, columns: number) {
    this.#columns = columns;
    this.#bits = new Uint8Array(Math.ceil((rows * columns) / 4));
  }

  get(row: number, column: number): number {
    const cell = row * this.#columns + column;
    return ((this.#bits[cell >>> 2] ?? 0) >>> ((cell & 3) * 2)) & 3;
  }

  /** Once for each cell. */
  set(row: number, column: number, step: number): void {
    const cell = row * this.#columns + column;
    this.#bits[cell >>> 2] = (this.#bits[cell >>> 2] ?? 0) | (step << ((cell & 3) * 2));
  }
}

function fillSteps(reference: Int32Array, hypothesis: Int32Array): StepTable {
  const steps = new StepTable(reference.length + 1, hypothesis.length + 1);
  let above = Int32Array.from({ length: hypothesis.length + 1 }, (_, column) => column);
  let current = new Int32Array(hypothesis.length + 1);
  for (let column = 1; column <= hypothesis.length; column++) steps.set(0, column, INSERT);
  for (let row = 1; row <= reference.length; row++) {
    const word = reference[row - 1];
    current[0] = row;
    steps.set(row, 0, DELETE);
    for (let column = 1; column <= hypothesis.length; column++) {
      const diagonal = (above[column - 1] ?? 0) + (word === hypothesis[column - 1] ? 0 : 1);
      const deletion = (above[column] ?? 0) + 1;
      const insertion = (current[column - 1] ?? 0) + 1;
      const best = Math.min(diagonal, deletion, insertion);
      current[column] = best;
      steps.set(row, column, best === diagonal ? DIAGONAL : best === deletion ? DELETE : INSERT);
    }
    [above, current] = [current, above];
  }
  return steps;
}

export interface WordErrors {
  /** substitutions + deletions + insertions. To pool several texts, add errors and reference words up. */
  readonly errors: number;
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  readonly referenceWords: number;
  /** errors / referenceWords: 0 is perfect, above 1 is possible. Null without reference words. */
  readonly rate: number | null;
}

/** Word error rate. Both texts as `normaliseWords` gives them. @throws CaptionError `alignment_too_long`. */
export function wordErrorRate(reference: readonly string[], hypothesis: readonly string[]): WordErrors {
  const ops = alignWords(reference, hypothesis);
  const count = (kind: AlignmentOp['kind']): number => ops.filter((op) => op.kind === kind).length;
  const substitutions = count('substitution');
  const deletions = count('deletion');
  const insertions = count('insertion');
  const errors = substitutions + deletions + insertions;
  const referenceWords = reference.length;
  return {
    errors,
    substitutions,
    deletions,
    insertions,
    referenceWords,
    rate: referenceWords === 0 ? null : errors / referenceWords,
  };
}

export interface TranscriptDifference {
  /** Words of the undisturbed transcript that did not arrive. */
  readonly lostWords: number;
  /** Words that arrived and are not in the undisturbed transcript, usually because they were said twice. */
  readonly duplicatedWords: number;
  /** Words in whose place another one arrived. */
  readonly changedWords: number;
}

/**
 * What a disturbance (a crash, a lost connection) did to a transcript. Both as `normaliseWords` gives them.
 * @throws CaptionError `alignment_too_long`.
 */
export function compareTranscripts(
  undisturbed: readonly string[],
  received: readonly string[],
): TranscriptDifference {
  const { deletions, insertions, substitutions } = wordErrorRate(undisturbed, received);
  return { lostWords: deletions, duplicatedWords: insertions, changedWords: substitutions };
}

/** The same over several speakers. */
export const sumOfDifferences = (differences: readonly TranscriptDifference[]): TranscriptDifference => ({
  lostWords: differences.reduce((sum, { lostWords }) => sum + lostWords, 0),
  duplicatedWords: differences.reduce((sum, { duplicatedWords }) => sum + duplicatedWords, 0),
  changedWords: differences.reduce((sum, { changedWords }) => sum + changedWords, 0),
});
