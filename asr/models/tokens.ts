/**
 * `tokens.txt`: the text pieces a recogniser can put out, one "piece id" a line (icefall's `tokens.txt`, the same for
 * all k2-fsa models). A line that is only a number is the piece " ", as sherpa-onnx reads it.
 */
import { CaptionError } from '../../protocol/index.js';
import type { Casing } from './registry.js';

/** What a model's text looks like. */
export interface TextStyle {
  readonly casing: Casing;
  readonly punctuates: boolean;
}

const LINE = /^(?:([^ \t]+)[ \t]+)?(\d{1,9})$/;
/** `<blk>`, `<unk>`, `<0xE2>` and the disambiguation symbols `#0`, `#1`: never part of a text. */
const SPECIAL_PIECE = /^(?:<.*>|#\d+)$/;
/** SentencePiece marks the beginning of a word with this character. */
const WORD_START = '\u2581';

/**
 * The pieces, by id. `source` names the file in the error.
 * Throws CaptionError `model_damaged` unless every line parses and the ids are 0, 1, 2, … in any order.
 */
export function parseTokens(text: string, source: string): readonly string[] {
  const pieces = new Map<number, string>();
  for (const [index, rawLine] of text.split('\n').entries()) {
    const line = rawLine.replace(/[ \t\r]+$/, '').replace(/^[ \t]+/, '');
    if (line === '') continue;
    const match = LINE.exec(line);
    if (match === null) throw damagedTokens(source, `line ${index + 1} is not "piece id"`);
    const id = Number(match[2]);
    if (pieces.has(id)) throw damagedTokens(source, `line ${index + 1} gives id ${id} a second time`);
    pieces.set(id, match[1] ?? ' ');
  }
  if (pieces.size === 0) throw damagedTokens(source, 'it has no tokens');
  return Array.from({ length: pieces.size }, (_, id) => {
    const piece = pieces.get(id);
    if (piece === undefined) throw damagedTokens(source, `id ${id} is missing`);
    return piece;
  });
}

/** How a model with these pieces writes. A model whose script has no case counts as upper. */
export function detectTextStyle(pieces: readonly string[]): TextStyle {
  const spoken = pieces.filter((piece) => !SPECIAL_PIECE.test(piece));
  const hasLower = spoken.some((piece) => /\p{Ll}/u.test(piece));
  const hasUpper = spoken.some((piece) => /\p{Lu}/u.test(piece));
  const bare = new Set(spoken.map((piece) => piece.replaceAll(WORD_START, '')));
  return {
    casing: hasLower ? (hasUpper ? 'mixed' : 'lower') : 'upper',
    punctuates: bare.has('.') || bare.has(','),
  };
}

const damagedTokens = (source: string, what: string): CaptionError =>
  new CaptionError('model_damaged', `${source} is damaged: ${what}.`);
