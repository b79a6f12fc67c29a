import { describe, expect, it } from 'vitest';
import { archiveFileName } from './pull.js';
import { DEFAULT_MODEL_ID, isModelId, MODEL_REGISTRY, registeredModel } from './registry.js';

describe('MODEL_REGISTRY', () => {
  it('has ids and folders that are unique and can be folder names', () => {
    const names = MODEL_REGISTRY.flatMap((model) => [model.id, model.folder]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !isModelId(name))).toEqual([]);
  });

  it('has an archive named after the folder inside it, with a checksum of the right form', () => {
    for (const model of MODEL_REGISTRY) {
      expect(archiveFileName(model.archive)).toBe(`${model.folder}.tar.bz2`);
      expect(model.archive.sha256 ?? '0'.repeat(64)).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  it('finds a model by its id and by its folder', () => {
    expect(registeredModel(DEFAULT_MODEL_ID)?.folder).toBe(
      'sherpa-onnx-kws-zipformer-gigaspeech-3.3M-2024-01-01',
    );
    expect(registeredModel('sherpa-onnx-streaming-zipformer-en-20M-2023-02-17')?.id).toBe(
      'zipformer-en-20m-2023-02-17',
    );
  });

  it.each(['..', '.hidden', 'a/b', 'a\\b', '', 'x'.repeat(101)])('does not take "%s" for an id', (name) => {
    expect(isModelId(name)).toBe(false);
  });
});
