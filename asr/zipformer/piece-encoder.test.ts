import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../testing/real-model.js';
import { PieceEncoder } from './piece-encoder.js';

type Scores = ReadonlyMap<string, number>;

const sumOf = (pieces: readonly string[], scores: Scores): number =>
  pieces.reduce((sum, piece) => sum + (scores.get(piece) ?? -Infinity), 0);

/** Every way to cut a text into known pieces. */
function segmentationsOf(text: string, scores: Scores): string[][] {
  if (text === '') return [[]];
  return [...scores.keys()]
    .filter((piece) => text.startsWith(piece))
    .flatMap((piece) => segmentationsOf(text.slice(piece.length), scores).map((rest) => [piece, ...rest]));
}

/** Byte pair encoding as it is defined. */
function joinedByRank(pieces: readonly string[], ranks: Scores): readonly string[] {
  const pairs = pieces.slice(1).map((piece, index) => `${pieces[index]}${piece}`);
  const highest = Math.max(...pairs.map((pair) => ranks.get(pair) ?? -Infinity));
  if (highest === -Infinity) return pieces;
  const at = pairs.findIndex((pair) => ranks.get(pair) === highest);
  return joinedByRank([...pieces.slice(0, at), pairs[at]!, ...pieces.slice(at + 2)], ranks);
}

describeWithModel('PieceEncoder with a unigram vocabulary', (model) => {
  /** What SentencePiece 0.2 makes of these with the model's own `bpe.model`. */
  it.each([
    ['ILL', '▁I LL'],
    ['DISPOSED', '▁DIS PO S ED'],
    ['BROTHELS', '▁B RO TH EL S'],
    ['KUBERNETES', '▁K U BER NE TE S'],
    ['MATIGNON', '▁MA T IG N ON'],
    ["O'BRIEN", "▁O ' B RI EN"],
    ['INTERMINISTERIAL', '▁IN TER M IN IST E RI AL'],
    ['CAMILLE', '▁CA M IL LE'],
    ['ZIPFORMER', '▁ Z I P FORM ER'],
  ])('cuts %s as SentencePiece does', async (word, pieces) => {
    const encoder = new PieceEncoder(await readFile(model.files.bpeVocab!, 'utf8'));
    expect(encoder.encode(word)?.join(' ')).toBe(pieces);
  });
});

describe('PieceEncoder', () => {
  it('joins neighbours by rank when the scores are ranks', () => {
    // The largest sum would be "▁a bc" (-6); ranks join "a" and "b" first.
    const vocab = '<unk>\t0\n▁a\t-5\nab\t0\nbc\t-1\n▁\t-7\na\t-8\nb\t-9\nc\t-10\n';
    expect(new PieceEncoder(vocab).encode('abc')).toEqual(['▁', 'ab', 'c']);
  });

  it('says which words it cannot write', () => {
    const encoder = new PieceEncoder('▁A\t-1.5\nB\t-2.5\n');
    expect(encoder.encode('AB')).toEqual(['▁A', 'B']);
    expect(encoder.encode('AC')).toBeUndefined();
  });

  const letters = fc.constantFrom('a', 'b', 'c', '𝒟');
  const piece = fc.string({ unit: letters, minLength: 1, maxLength: 3 });
  const word = fc.string({ unit: letters, minLength: 1, maxLength: 6 });
  const vocab = (scores: ReadonlyMap<string, number>): string =>
    [...scores].map(([text, score]) => `${text}\t${score}`).join('\n');

  it('property: finds the largest sum of all segmentations', () => {
    const scores = fc
      .array(fc.tuple(piece, fc.integer({ min: -20, max: -1 })), { maxLength: 12 })
      .map((pieces) => new Map([['▁', -0.5], ...pieces]));
    fc.assert(
      fc.property(scores, word, (known, text) => {
        const found = new PieceEncoder(vocab(known)).encode(text);
        const sums = segmentationsOf(`▁${text}`, known).map((pieces) => sumOf(pieces, known));
        if (sums.length === 0) expect(found).toBeUndefined();
        else {
          expect(found?.join('')).toBe(`▁${text}`);
          expect(sumOf(found ?? [], known)).toBe(Math.max(...sums));
        }
      }),
    );
  });

  it('property: joins the neighbours that rank highest, one pair after the other', () => {
    const single = ['▁', 'a', 'b', 'c', '𝒟'];
    const ranks = fc
      .uniqueArray(fc.string({ unit: letters, minLength: 2, maxLength: 4 }), { maxLength: 12 })
      .map((joined) => new Map([...single, ...joined].map((text, index) => [text, -index])));
    fc.assert(
      fc.property(ranks, word, (known, text) => {
        expect(new PieceEncoder(vocab(known)).encode(text)).toEqual(
          joinedByRank(Array.from(`▁${text}`), known),
        );
      }),
    );
  });

  it('leaves out lines that are no piece and score, and special pieces', () => {
    const encoder = new PieceEncoder('<s>\t0\nhello\n\n▁A\tx\n▁B\t-1.5\r\n');
    expect(encoder.has('<s>')).toBe(false);
    expect(encoder.encode('A')).toBeUndefined();
    expect(encoder.encode('B')).toEqual(['▁B']);
  });
});
