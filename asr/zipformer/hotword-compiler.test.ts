import { describe, expect, it } from 'vitest';
import { HotwordCompiler, type HotwordCompilerParts } from './hotword-compiler.js';
import { PieceEncoder } from './piece-encoder.js';

const PIECES = ['<blk>', '<unk>', '▁', 'A', 'B', 'E', "'", '▁AB'];

const partsOf = (casing: 'upper' | 'lower', pieces: readonly string[] = PIECES): HotwordCompilerParts => ({
  encoder: new PieceEncoder(pieces.map((piece, id) => `${piece}\t-${id + 1}.5`).join('\n')),
  tokenIds: new Map(pieces.map((piece, id) => [piece, id])),
  casing,
});
const compiler = (...parts: Parameters<typeof partsOf>): HotwordCompiler =>
  new HotwordCompiler(partsOf(...parts));

/** What saying these tokens is worth with that vocabulary. */
const worth = (of: HotwordCompiler, phrase: string, tokens: readonly number[]): number =>
  of.compile([phrase]).graph?.find(tokens).worth ?? 0;

describe('HotwordCompiler', () => {
  it('writes phrases in the case of the model', () => {
    expect(worth(compiler('upper'), 'ab', [7])).toBe(1.5);
    expect(worth(compiler('lower', ['<blk>', '▁', 'a', 'b']), 'AB', [1, 2, 3])).toBe(4.5);
  });

  it('writes letters without accents and words without marks where the model has none', () => {
    expect(worth(compiler('upper'), 'Éa', [2, 5, 3])).toBe(4.5);
    expect(worth(compiler('upper'), 'ab-ab!', [7, 7])).toBe(3);
    expect(worth(compiler('upper'), 'a’b', [2, 3, 6, 4])).toBe(6);
  });

  it('names the phrases that the model cannot write, and favours the others', () => {
    const { graph, unwritable } = compiler('upper').compile(['AB', 'B2', '日本']);
    expect(unwritable).toEqual(['B2', '日本']);
    expect(graph?.find([7]).worth).toBe(1.5);
    expect(compiler('upper').compile(['!'])).toEqual({ graph: undefined, unwritable: ['!'] });
  });

  it('makes one graph for all streams with the same vocabulary', () => {
    const shared = compiler('upper');
    const first = shared.compile(['AB']);
    expect(shared.compile(['AB'])).toBe(first);
    expect(shared.compile(['AB', 'B'])).not.toBe(first);
  });

  it('keeps graphs for other streams up to a number of bytes, those asked for last', () => {
    const { sizeBytes } = compiler('upper').compile(['A B']).graph!;
    const small = new HotwordCompiler({ ...partsOf('upper'), maxKeptBytes: 3 * sizeBytes });
    const [first, second] = [small.compile(['A B']), small.compile(['B A'])];
    expect(small.compile(['A B'])).toBe(first);
    small.compile(['E A']);
    expect(small.compile(['A B'])).toBe(first);
    expect(small.compile(['B A'])).not.toBe(second);
  });

  it('names what it cannot write without making a graph', () => {
    const vocabulary = ['AB', 'B2', '日本', '!'];
    expect(compiler('upper').unwritable(vocabulary)).toEqual(
      compiler('upper').compile(vocabulary).unwritable,
    );
    expect(compiler('upper').unwritable(vocabulary)).toEqual(['B2', '日本', '!']);
  });
});
