import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bpeVocabOf } from './bpe-vocab.js';

/** A SentencePiece model of short pieces. */
function bpeModel(pieces: readonly (readonly [string, number])[]): Buffer {
  return Buffer.concat(
    pieces.map(([piece, score]) => {
      const text = Buffer.from(piece);
      const scoreField = Buffer.alloc(5, 0x15);
      scoreField.writeFloatLE(score, 1);
      const message = Buffer.concat([Buffer.from([0x0a, text.length]), text, scoreField]);
      return Buffer.concat([Buffer.from([0x0a, message.length]), message]);
    }),
  );
}

describe('bpeVocabOf', () => {
  it('writes pieces and scores as sherpa-onnx wants them', () => {
    expect(
      bpeVocabOf(
        bpeModel([
          ['<unk>', 0],
          ['\u2581THE', -3.6791],
        ]),
      ),
    ).toBe('<unk>\t0\n\u2581THE\t-3.6791\n');
  });

  it('gives undefined for what is no SentencePiece model, and never throws', () => {
    expect(bpeVocabOf(Buffer.from('<html>'))).toBeUndefined();
    expect(bpeVocabOf(Buffer.alloc(0))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(['string', 'undefined']).toContain(typeof bpeVocabOf(bytes));
      }),
    );
  });
});
