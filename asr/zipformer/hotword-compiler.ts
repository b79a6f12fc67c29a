import type { Casing } from '../models/registry.js';
import { detectTextStyle } from '../models/tokens.js';
import { HotwordGraph, type HotwordTokens } from './hotword-graph.js';
import { PieceEncoder } from './piece-encoder.js';

/** What each token of a phrase is worth, a natural logarithm; sherpa-onnx's `hotwords_score`. */
const BOOST = 1.5;
/** Graphs are kept for other streams with the same vocabulary, as those of a room have; the newest one always. */
const DEFAULT_MAX_KEPT_BYTES = 16_000_000;

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
  /** For all graphs that are kept together, roughly. Default 16 MB. */
  readonly maxKeptBytes?: number;
}

interface KeptHotwords {
  readonly compiled: CompiledHotwords;
  readonly sizeBytes: number;
}

/** Makes graphs of vocabularies for one model; the model itself is the same for all of them. */
export class HotwordCompiler {
  readonly #parts: HotwordCompilerParts;
  readonly #kept = new Map<string, KeptHotwords>();
  #keptBytes = 0;

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
    if (known !== undefined) this.#forget(key, known);
    const compiled = known?.compiled ?? this.#compile(vocabulary);
    // At the end: the first is the one not asked for the longest.
    this.#keep(key, { compiled, sizeBytes: 2 * key.length + (compiled.graph?.sizeBytes ?? 0) });
    return compiled;
  }

  /** Phrases of a vocabulary with characters that the model cannot write. */
  unwritable(vocabulary: readonly string[]): readonly string[] {
    return vocabulary.filter((phrase) => this.#tokensOf(phrase) === undefined);
  }

  #keep(key: string, kept: KeptHotwords): void {
    this.#kept.set(key, kept);
    this.#keptBytes += kept.sizeBytes;
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#keptBytes <= (this.#parts.maxKeptBytes ?? DEFAULT_MAX_KEPT_BYTES) || oldest === key) break;
      this.#forget(oldest, { sizeBytes });
    }
  }

  #forget(key: string, { sizeBytes }: Pick<KeptHotwords, 'sizeBytes'>): void {
    this.#kept.delete(key);
    this.#keptBytes -= sizeBytes;
  }

  #compile(vocabulary: readonly string[]): CompiledHotwords {
    const phrases: HotwordTokens[] = [];
    const unwritable: string[] = [];
    for (const phrase of vocabulary) {
      const ids = this.#tokensOf(phrase);
      if (ids === undefined) unwritable.push(phrase);
      else phrases.push({ ids, boost: BOOST });
    }
    return { graph: phrases.length === 0 ? undefined : new HotwordGraph(phrases), unwritable };
  }

  /** Undefined where the model cannot write the phrase, or nothing of it. */
  #tokensOf(phrase: string): readonly number[] | undefined {
    const ids: number[] = [];
    for (const word of this.#written(phrase).split(/\s+/u)) {
      if (word === '') continue;
      const pieces = this.#parts.encoder.encode(word);
      if (pieces === undefined) return undefined;
      for (const piece of pieces) {
        const id = this.#parts.tokenIds.get(piece);
        if (id === undefined) return undefined;
        ids.push(id);
      }
    }
    return ids.length === 0 ? undefined : ids;
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
