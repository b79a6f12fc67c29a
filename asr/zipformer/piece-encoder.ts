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

/** A tree of pieces by their letters. */
interface PieceNode {
  readonly next: Map<number, PieceNode>;
  /** Of the piece that ends here. */
  score?: number;
}

export class PieceEncoder {
  readonly #scores: ReadonlyMap<string, number>;
  readonly #tree: PieceNode = { next: new Map() };
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
    for (const [piece, score] of scores) this.#nodeOf(piece).score = score;
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

  /** Best segmentations of ever longer beginnings; of equal ones that with the longer last piece. */
  #mostProbable(text: string): readonly string[] | undefined {
    const scores = new Float64Array(text.length + 1).fill(-Infinity);
    /** Where the last piece of the best segmentation up to here begins. */
    const starts = new Uint32Array(text.length + 1);
    scores[0] = 0;
    for (let start = 0; start < text.length; start++) {
      const before = scores[start] ?? -Infinity;
      if (before === -Infinity) continue;
      let node: PieceNode | undefined = this.#tree;
      for (let end = start + 1; end <= text.length; end++) {
        node = node.next.get(text.charCodeAt(end - 1));
        if (node === undefined) break;
        if (node.score === undefined || before + node.score <= (scores[end] ?? -Infinity)) continue;
        scores[end] = before + node.score;
        starts[end] = start;
      }
    }
    if (scores[text.length] === -Infinity) return undefined;
    const pieces: string[] = [];
    for (let end = text.length; end > 0; end = starts[end] ?? 0) pieces.push(text.slice(starts[end], end));
    return pieces.reverse();
  }

  #join(text: string): readonly string[] | undefined {
    const pieces = Array.from(text);
    const rankAt = (index: number): number =>
      this.#scores.get(`${pieces[index] ?? ''}${pieces[index + 1] ?? ''}`) ?? -Infinity;
    /** Of each piece with the one after it. */
    const ranks = pieces.slice(1).map((_, index) => rankAt(index));
    for (;;) {
      let at = -1;
      let highest = -Infinity;
      for (const [index, rank] of ranks.entries()) {
        if (rank <= highest) continue;
        at = index;
        highest = rank;
      }
      if (at === -1) break;
      pieces.splice(at, 2, `${pieces[at] ?? ''}${pieces[at + 1] ?? ''}`);
      ranks.splice(at, 1);
      if (at > 0) ranks[at - 1] = rankAt(at - 1);
      if (at < ranks.length) ranks[at] = rankAt(at);
    }
    return pieces.every((piece) => this.#scores.has(piece)) ? pieces : undefined;
  }

  #nodeOf(piece: string): PieceNode {
    let node = this.#tree;
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at);
      let next = node.next.get(code);
      if (next === undefined) {
        next = { next: new Map() };
        node.next.set(code, next);
      }
      node = next;
    }
    return node;
  }
}
