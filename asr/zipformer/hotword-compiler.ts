import type { Casing } from '../models/registry.js';
import { HotwordGraph, type HotwordTokens } from './hotword-graph.js';
import type { PieceEncoder } from './piece-encoder.js';

/** What each token of a phrase is worth by default, a natural logarithm; sherpa-onnx's `hotwords_score`. */
export const DEFAULT_BOOST = 1.5;
/** Graphs that are kept for other streams with the same vocabulary: those of a room share one. */
const MAX_KEPT_GRAPHS = 64;

/** A phrase to favour. */
export interface Hotword {
  /** As somebody wrote it, in any case. */
  readonly phrase: string;
  /** What each of its tokens is worth, a natural logarithm above 0. Default: `DEFAULT_BOOST`. */
  readonly boost?: number;
}

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

  constructor(parts: HotwordCompilerParts) {
    this.#parts = parts;
  }

  compile(hotwords: readonly Hotword[]): CompiledHotwords {
    const key = JSON.stringify(hotwords.map(({ phrase, boost }) => [phrase, boost]));
    const known = this.#kept.get(key);
    const compiled = known ?? this.#compile(hotwords);
    // Moves it to the end: the first is the one not asked for the longest.
    this.#kept.delete(key);
    this.#kept.set(key, compiled);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_GRAPHS && oldest !== undefined) this.#kept.delete(oldest);
    return compiled;
  }

  #compile(hotwords: readonly Hotword[]): CompiledHotwords {
    const phrases: HotwordTokens[] = [];
    const unwritable: string[] = [];
    for (const { phrase, boost = DEFAULT_BOOST } of hotwords) {
      const ids = this.#tokensOf(phrase);
      if (ids === undefined || ids.length === 0) unwritable.push(phrase);
      else phrases.push({ ids, boost });
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
