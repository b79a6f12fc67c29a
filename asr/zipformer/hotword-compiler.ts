import type { Casing } from '../models/registry.js';
import { detectTextStyle } from '../models/tokens.js';
import { HotwordGraph, type HotwordTokens } from './hotword-graph.js';
import { PieceEncoder } from './piece-encoder.js';

/** What each token of a phrase is worth, a natural logarithm; sherpa-onnx's `hotwords_score`. */
const BOOST = 1.5;
/** Graphs that are kept for other streams with the same vocabulary: those of a room share one. */
const MAX_KEPT_GRAPHS = 64;

export interface CompiledHotwords {
  /** Undefined when there is nothing to favour. */
  readonly graph: HotwordGraph | undefined;
  /** Phrases with characters that the model cannot write: they are not favoured. */
  readonly unwritable: readonly string[];
}

export interface HotwordCompilerParts {
  readonly encoder: PieceEncoder;
  readonly tokenIds: ReadonlyMap<string, number>;
  readonly casing: Casing;
}

/** Makes graphs of vocabularies for one model; the model itself is the same for all of them. */
export class HotwordCompiler {
  readonly #parts: HotwordCompilerParts;
  readonly #kept = new Map<string, CompiledHotwords>();

  /** `bpeVocab` is the text of that file, `pieces` are the model's tokens by id. */
  static of(bpeVocab: string, pieces: readonly string[]): HotwordCompiler {
    return new HotwordCompiler({
      encoder: new PieceEncoder(bpeVocab),
      tokenIds: new Map(pieces.map((piece, id) => [piece, id])),
      casing: detectTextStyle(pieces).casing,
    });
  }

  constructor(parts: HotwordCompilerParts) {
    this.#parts = parts;
  }

  /** `vocabulary`: phrases as somebody wrote them, in any case. */
  compile(vocabulary: readonly string[]): CompiledHotwords {
    const key = JSON.stringify(vocabulary);
    const known = this.#kept.get(key);
    const compiled = known ?? this.#compile(vocabulary);
    // Moves it to the end: the first is the one not asked for the longest.
    this.#kept.delete(key);
    this.#kept.set(key, compiled);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_GRAPHS && oldest !== undefined) this.#kept.delete(oldest);
    return compiled;
  }

  #compile(vocabulary: readonly string[]): CompiledHotwords {
    const phrases: HotwordTokens[] = [];
    const unwritable: string[] = [];
    for (const phrase of vocabulary) {
      const ids = this.#tokensOf(phrase);
      if (ids === undefined || ids.length === 0) unwritable.push(phrase);
      else phrases.push({ ids, boost: BOOST });
    }
    return { graph: phrases.length === 0 ? undefined : new HotwordGraph(phrases), unwritable };
  }

  #tokensOf(phrase: string): readonly number[] | undefined {
    const words = this.#written(phrase).split(/\s+/u).filter(Boolean);
    const pieces = words.map((word) => this.#parts.encoder.encode(word));
    const ids = pieces.flatMap((ofWord) =>
      ofWord === undefined ? [undefined] : ofWord.map((piece) => this.#parts.tokenIds.get(piece)),
    );
    return ids.every((id) => id !== undefined) ? ids : undefined;
  }

  /** As the model writes: its case, no marks that it has not, letters without accents where it has none. */
  #written(phrase: string): string {
    const cased = inCase(phrase.normalize('NFC').replaceAll('’', "'"), this.#parts.casing);
    return Array.from(cased, (character) => {
      if (this.#parts.encoder.has(character) || /\s/u.test(character)) return character;
      const bare = character.normalize('NFD').replace(/\p{M}/gu, '');
      if (bare !== character && Array.from(bare).every((part) => this.#parts.encoder.has(part))) return bare;
      return /[\p{P}\p{S}]/u.test(character) ? ' ' : character;
    }).join('');
  }
}

function inCase(text: string, casing: Casing): string {
  switch (casing) {
    case 'upper':
      return text.toUpperCase();
    case 'lower':
      return text.toLowerCase();
    case 'mixed':
      return text;
  }
}
