import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { describeWithModel } from '../testing/real-model.js';
import { PieceEncoder } from './piece-encoder.js';

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

  it('leaves out lines that are no piece and score, and special pieces', () => {
    const encoder = new PieceEncoder('<s>\t0\nhello\n\n▁A\tx\n▁B\t-1.5\r\n');
    expect(encoder.has('<s>')).toBe(false);
    expect(encoder.encode('A')).toBeUndefined();
    expect(encoder.encode('B')).toEqual(['▁B']);
  });
});
