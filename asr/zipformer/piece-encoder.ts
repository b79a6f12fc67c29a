/**
 * Words as the pieces that a model was trained on: SentencePiece's segmentation, from `bpe.vocab` alone. The scores tell which
 * of its two kinds a vocabulary is. A unigram's are logarithms of probabilities, and a word's pieces are those with the largest
 * sum (icefall's English models, the default here). BPE's are ranks 0, -1, -2, …, and a word's pieces come of joining, over and over,
 * the neighbours whose joint piece ranks highest. sherpa-onnx looks for the largest sum with both.
 */

/** SentencePiece marks the beginning of a word with this character. */
const WORD_START = '\u2581';
/** `<unk>`, `<s>`, …: never part of a text. */
const SPECIAL_PIECE = /^<.*>$/;

interface Segmentation {
  readonly score: number;
  readonly pieces: readonly string[];
}

export class PieceEncoder {
  readonly #scores: ReadonlyMap<string, number>;
  readonly #longest: number;
  readonly #joinsByRank: boolean;

  /** `bpeVocab` is the text of the file: "piece score" a line. Lines of another form are left out. */
  constructor(bpeVocab: string) {
    const scores = new Map<string, number>();
    for (const line of bpeVocab.split('\n')) {
      const [piece, score, ...others] = line.trim().split(/[\t ]+/);
      const value = Number(score);
      if (piece === undefined || score === undefined || others.length > 0 || !Number.isFinite(value))
        continue;
      if (!SPECIAL_PIECE.test(piece)) scores.set(piece, value);
    }
    this.#scores = scores;
    this.#longest = Math.max(0, ...[...scores.keys()].map((piece) => piece.length));
    this.#joinsByRank = [...scores.values()].every(Number.isInteger);
  }

  has(piece: string): boolean {
    return this.#scores.has(piece);
  }

  /** The pieces of a word; undefined when it has characters that none of them has. */
  encode(word: string): readonly string[] | undefined {
    const text = `${WORD_START}${word}`;
    return this.#joinsByRank ? this.#join(text) : this.#mostProbable(text);
  }

  /** Best segmentations of ever longer beginnings. */
  #mostProbable(text: string): readonly string[] | undefined {
    const best: (Segmentation | undefined)[] = [{ score: 0, pieces: [] }];
    for (let end = 1; end <= text.length; end++) {
      for (let start = Math.max(0, end - this.#longest); start < end; start++) {
        const before = best[start];
        const piece = text.slice(start, end);
        const own = this.#scores.get(piece);
        if (before === undefined || own === undefined) continue;
        const score = before.score + own;
        if (score > (best[end]?.score ?? -Infinity)) best[end] = { score, pieces: [...before.pieces, piece] };
      }
    }
    return best[text.length]?.pieces;
  }

  #join(text: string): readonly string[] | undefined {
    const pieces = Array.from(text);
    for (;;) {
      let at = -1;
      let highest = -Infinity;
      for (let index = 0; index + 1 < pieces.length; index++) {
        const rank = this.#scores.get(`${pieces[index] ?? ''}${pieces[index + 1] ?? ''}`) ?? -Infinity;
        if (rank > highest) {
          at = index;
          highest = rank;
        }
      }
      if (at === -1) break;
      pieces.splice(at, 2, `${pieces[at] ?? ''}${pieces[at + 1] ?? ''}`);
    }
    return pieces.every((piece) => this.#scores.has(piece)) ? pieces : undefined;
  }
}
