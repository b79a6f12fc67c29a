/** Reads a model through and compares it with what was installed. */
import { join } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import { inspectModel } from './inspect.js';
import { readInstallRecord, sha256OfFile } from './install-record.js';
import { MODEL_REGISTRY, registeredModel, type RegisteredModel } from './registry.js';

export interface VerifyOptions {
  /** The model's own folder. */
  readonly dir: string;
  readonly id: string;
  readonly signal?: AbortSignal | undefined;
  readonly registry?: readonly RegisteredModel[] | undefined;
}

export interface VerifiedModel {
  readonly id: string;
  readonly dir: string;
  /**
   * `checksums`: every byte is as it was when the model was installed. `structure`: the folder was put there by hand
   * and has no record; its files look like a model's.
   */
  readonly checked: 'checksums' | 'structure';
  /** How many files were compared; 0 with `structure`. */
  readonly files: number;
}

/** Throws CaptionError `model_incomplete` or `model_damaged`, naming the files, and the signal's reason. */
export async function verifyModel(options: VerifyOptions): Promise<VerifiedModel> {
  const { dir, id, signal } = options;
  const registered = registeredModel(id, options.registry ?? MODEL_REGISTRY);
  await inspectModel({ dir, id, registered, precision: 'auto' });
  const record = await readInstallRecord(dir);
  if (record === undefined) return { id, dir, checked: 'structure', files: 0 };
  const changed: string[] = [];
  for (const file of record.files) {
    if ((await sha256OfFile(join(dir, file.name), signal)) !== file.sha256) changed.push(file.name);
  }
  if (changed.length === 0) return { id, dir, checked: 'checksums', files: record.files.length };
  throw new CaptionError(
    'model_damaged',
    `The model "${id}" in ${dir} has changed since it was installed: ${changed.join(', ')}. ` +
      'Delete the folder and pull or import the model again.',
  );
}
