import { describe, expect, it } from 'vitest';
import { selectPunctuationFiles, selectRecogniserFiles } from './model-files.js';

describe('selectRecogniserFiles', () => {
  const plain = ['encoder.fp32.onnx', 'encoder.int8.onnx', 'decoder.onnx', 'joiner.int8.onnx', 'tokens.txt'];

  it('takes the wanted precision where it exists and the other where it does not', () => {
    expect(selectRecogniserFiles(plain, 'fp32')).toEqual({
      encoder: 'encoder.fp32.onnx',
      decoder: 'decoder.onnx',
      joiner: 'joiner.int8.onnx',
      precision: 'fp32',
    });
    expect(selectRecogniserFiles(plain, 'int8')).toMatchObject({
      encoder: 'encoder.int8.onnx',
      precision: 'int8',
    });
  });

  it('reads the names of official archives', () => {
    const stem = 'epoch-12-avg-2-chunk-16-left-64';
    const names = ['encoder', 'decoder', 'joiner'].flatMap((role) => [
      `${role}-${stem}.onnx`,
      `${role}-${stem}.int8.onnx`,
    ]);
    expect(selectRecogniserFiles(names, 'int8')).toEqual({
      encoder: `encoder-${stem}.int8.onnx`,
      decoder: `decoder-${stem}.onnx`,
      joiner: `joiner-${stem}.int8.onnx`,
      precision: 'int8',
    });
  });

  it('never mixes two exports of a model', () => {
    const names = ['a', 'b'].flatMap((stem) => [`encoder-${stem}.onnx`, `joiner-${stem}.onnx`]);
    expect(selectRecogniserFiles([...names, 'decoder-b.onnx'], 'fp32')).toMatchObject({
      encoder: 'encoder-b.onnx',
      joiner: 'joiner-b.onnx',
    });
    expect(selectRecogniserFiles(['encoder-a.onnx', 'decoder-b.onnx', 'joiner-c.onnx'], 'fp32')).toEqual({
      missing: ['encoder*.onnx', 'decoder*.onnx', 'joiner*.onnx'],
    });
  });

  it('names what is missing, and does not take half precision for a substitute', () => {
    expect(selectRecogniserFiles(['encoder.onnx', 'joiner.fp16.onnx'], 'int8')).toEqual({
      missing: ['decoder*.onnx', 'joiner*.onnx'],
    });
  });
});

describe('selectPunctuationFiles', () => {
  it('takes the wanted precision where it exists', () => {
    expect(selectPunctuationFiles(['model.onnx', 'model.int8.onnx'], 'int8')).toEqual({
      model: 'model.int8.onnx',
      precision: 'int8',
    });
    expect(selectPunctuationFiles(['model.onnx'], 'int8')).toEqual({
      model: 'model.onnx',
      precision: 'fp32',
    });
    expect(selectPunctuationFiles(['bpe.vocab'], 'int8')).toEqual({ missing: ['model*.onnx'] });
  });
});
