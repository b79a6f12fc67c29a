/**
 * Encoders that were rewritten and checked before, so that the next process need not do it again: that takes more time than
 * everything else at a start. A file that is missing or damaged is made anew; a folder that cannot be written costs that time.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InferenceSession } from '../onnx-runtime.js';
import { describeEncoder } from './encoder-shape.js';
import { type LoadedEncoder, loadEncoder, type LoadEncoderOptions, overflowsToTry } from './load-encoder.js';

/** Counts up when graphs are rewritten otherwise. */
const REWRITING = 3;
const DIGEST_BYTES = 32;

export interface CachedEncoderOptions extends LoadEncoderOptions {
  /** Made when it is not there. Undefined: nothing is kept. */
  readonly cacheDir: string | undefined;
}

/** As `loadEncoder`, by way of what an earlier start left in `cacheDir`. */
export async function loadEncoderCached({
  cacheDir,
  ...options
}: CachedEncoderOptions): Promise<LoadedEncoder> {
  if (cacheDir === undefined) return loadEncoder(options);
  const { path, metadata, sessions, isGuarded = false } = options;
  const original = digest(await readFile(path)).toString('hex');
  const fileOf = (mayOverflow: boolean): string =>
    join(cacheDir, `encoder-${REWRITING}-${original}${mayOverflow ? '' : '-guarded'}.onnx`);
  for (const mayOverflow of overflowsToTry(isGuarded)) {
    const file = fileOf(mayOverflow);
    const session = await openKnown(file, sessions);
    if (session === undefined) {
      // Damaged: another that is there must not serve in its place for ever.
      if (existsSync(file)) break;
      continue;
    }
    const { inputMetadata, outputMetadata } = session;
    const shape = describeEncoder({ metadata, inputs: inputMetadata, outputs: outputMetadata });
    return { session, shape, mayOverflow, isBatchIndependent: true, isRewritten: true };
  }
  // Several graphs may be tried; what is kept is the one that was found right.
  const graphs = new Map<InferenceSession, Uint8Array>();
  const loaded = await loadEncoder({
    ...options,
    sessions: {
      release: (opened) => sessions.release(opened),
      open: async (model) => {
        const opened = await sessions.open(model);
        if (typeof model !== 'string') graphs.set(opened, model);
        return opened;
      },
    },
  });
  const rewritten = graphs.get(loaded.session);
  if (loaded.isBatchIndependent && rewritten !== undefined) {
    await keep(fileOf(loaded.mayOverflow), rewritten);
    await removeOutdated(cacheDir, original);
  }
  return loaded;
}

/** Undefined when it is not there, not whole, or not to be opened. */
async function openKnown(
  file: string,
  sessions: LoadEncoderOptions['sessions'],
): Promise<InferenceSession | undefined> {
  try {
    const bytes = await readFile(file);
    const model = bytes.subarray(DIGEST_BYTES);
    return digest(model).equals(bytes.subarray(0, DIGEST_BYTES)) ? await sessions.open(model) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all: several processes may start at once. */
async function keep(file: string, model: Uint8Array): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(part, Buffer.concat([digest(model), model]));
    await rename(part, file);
  } catch {
    await rm(part, { force: true }).catch(() => undefined);
  }
}

/** What earlier versions of the gateway made of the same encoder. */
async function removeOutdated(cacheDir: string, original: string): Promise<void> {
  try {
    const outdated = (await readdir(cacheDir)).filter(
      (name) => name.includes(original) && Number(/^encoder-(\d+)-/.exec(name)?.[1]) < REWRITING,
    );
    await Promise.all(outdated.map((name) => rm(join(cacheDir, name), { force: true })));
  } catch {
    // It costs room on the disk, no more.
  }
}

const digest = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
