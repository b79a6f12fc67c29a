/**
 * Hotwords need `bpe.vocab` (pieces and scores as text); several archives bring `bpe.model` only, the same as a
 * SentencePiece protobuf. This writes the one out of the other, as sherpa-onnx's `export_bpe_vocab.py` does.
 */
import { readMessage, WIRE_32_BIT, WIRE_BYTES, type ProtobufField } from './protobuf.js';

/** `ModelProto.pieces`, `SentencePiece.piece` and `SentencePiece.score` in sentencepiece_model.proto. */
const PIECES_FIELD = 1;
const PIECE_FIELD = 1;
const SCORE_FIELD = 2;
/** Float32 has seven significant decimal digits. */
const SCORE_DIGITS = 7;

/** The text of `bpe.vocab`, or undefined when the bytes are no SentencePiece model. */
export function bpeVocabOf(bpeModel: Uint8Array): string | undefined {
  const fields = readMessage(bpeModel);
  if (fields === undefined) return undefined;
  const lines = fields
    .filter((field) => field.number === PIECES_FIELD && field.wireType === WIRE_BYTES)
    .map((field) => vocabLine(content(bpeModel, field)));
  if (lines.length === 0 || lines.includes(undefined)) return undefined;
  return `${lines.join('\n')}\n`;
}

function vocabLine(sentencePiece: Uint8Array): string | undefined {
  const fields = readMessage(sentencePiece);
  const piece = fields?.find((field) => field.number === PIECE_FIELD && field.wireType === WIRE_BYTES);
  if (fields === undefined || piece === undefined) return undefined;
  const score = fields.find((field) => field.number === SCORE_FIELD && field.wireType === WIRE_32_BIT);
  return `${Buffer.from(content(sentencePiece, piece)).toString('utf8')}\t${score ? readFloat(content(sentencePiece, score)) : 0}`;
}

const content = (bytes: Uint8Array, field: ProtobufField): Uint8Array =>
  bytes.subarray(field.contentOffset, field.contentOffset + field.contentBytes);

function readFloat(bytes: Uint8Array): number {
  const value = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true);
  return Number(value.toPrecision(SCORE_DIGITS));
}
