/**
 * A store is a folder that models are installed into. Beside the models it has `.work/ID`, where one is being made
 * ready, on the same file system, so that it appears under its name in one step or not at all.
 */
import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { isClutter } from './clutter.js';
import { bpeVocabOf } from './bpe-vocab.js';
import { inspectModel, type InstalledModel, type InstalledPunctuation } from './inspect.js';
import {
  describeFiles,
  INSTALL_RECORD_FILE,
  writeInstallRecord,
  type InstallRecord,
} from './install-record.js';
import { withLock } from './lock.js';
import { BPE_MODEL_FILE, BPE_VOCAB_FILE } from './model-files.js';
import type { OnInstallProgress } from './progress.js';
import type { PrecisionPreference, RegisteredModel } from './registry.js';

const DEFAULT_LOCK_WAIT_MS = 30 * 60_000;

export interface WorkplaceOptions {
  /** As from `modelStores`. The first that can be written is used. */
  readonly stores: readonly string[];
  readonly id: string;
  /** How long to wait for another process that installs the same model. Default 30 minutes. */
  readonly lockWaitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnInstallProgress | undefined;
}

/** Where one model is made ready, while nobody else does so. */
export interface Workplace {
  readonly store: string;
  readonly id: string;
  /** Kept from one try to the next: a broken download waits here. */
  readonly workDir: string;
  /** Empty at the beginning. */
  readonly stagingDir: string;
  /** The caller's signal, which also aborts when the lock was lost. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` with the model's lock held and what a killed process left behind removed. Throws CaptionError
 * `model_store_failed` when no store can be written or the disk fails, `model_locked`, and the signal's reason.
 */
export async function inWorkplace<T>(
  options: WorkplaceOptions,
  work: (place: Workplace) => Promise<T>,
): Promise<T> {
  const store = await firstWritable(options.stores);
  const workRoot = join(store, '.work');
  const workDir = join(workRoot, options.id);
  const stagingDir = join(workDir, 'staging');
  const place = { store, id: options.id, workDir, stagingDir };
  try {
    await mkdir(workRoot, { recursive: true });
    const lock = {
      lockPath: `${workDir}.lock`,
      waitMs: options.lockWaitMs ?? DEFAULT_LOCK_WAIT_MS,
      signal: options.signal,
      onWait: () => options.onProgress?.({ phase: 'waiting', doneBytes: 0 }),
    };
    return await withLock(lock, async (signal) => {
      await removeLeftovers(place);
      await mkdir(stagingDir, { recursive: true });
      try {
        return await work({ ...place, signal });
      } finally {
        // After the lock was lost, what lies there is somebody else's.
        if (!signal.aborted || options.signal?.aborted === true) await removeLeftovers(place);
      }
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw storeError(error, store);
  }
}

export interface StagedModel {
  /** Somewhere below the workplace's staging folder. */
  readonly dir: string;
  readonly registered?: RegisteredModel | undefined;
  readonly source: string;
  readonly archive?: InstallRecord['archive'];
  readonly precision?: PrecisionPreference | undefined;
}

/**
 * Checks a staged model, writes its record, and puts it in its place; one that was there before is replaced.
 * Throws CaptionError `model_incomplete` or `model_damaged`, and then leaves everything as it was.
 */
export async function install(
  place: Workplace,
  staged: StagedModel,
): Promise<InstalledModel | InstalledPunctuation> {
  const { id, signal } = place;
  const { registered, precision = 'auto' } = staged;
  // A record that came along would be about another installation.
  await rm(join(staged.dir, INSTALL_RECORD_FILE), { force: true });
  await inspectModel({ dir: staged.dir, id, registered, precision });
  await addBpeVocab(staged.dir);
  const files = await describeFiles(staged.dir, signal);
  await writeInstallRecord(staged.dir, {
    version: 1,
    id,
    source: staged.source,
    ...(staged.archive ? { archive: staged.archive } : {}),
    installedAt: new Date().toISOString(),
    files,
  });
  signal.throwIfAborted();
  const dir = join(place.store, id);
  await swapIn(staged.dir, dir, replacedDir(place));
  return inspectModel({ dir, id, registered, precision });
}

/** Everything but a download that can be continued. */
async function removeLeftovers(place: Omit<Workplace, 'signal'>): Promise<void> {
  await rm(place.stagingDir, { recursive: true, force: true });
  await rm(replacedDir(place), { recursive: true, force: true });
  // Fails, as it should, while there is such a download, and where there is no folder yet.
  await rmdir(place.workDir).catch(() => undefined);
}

/** Where the model that is being replaced lies until its successor is in place. */
const replacedDir = ({ workDir }: Pick<Workplace, 'workDir'>): string => join(workDir, 'replaced');

/** How many folders a model may be within: an archive, perhaps packed again by whoever passed it on. */
const MAX_DEPTH = 3;

/**
 * Where the model is: an archive usually has one folder with everything in it, and perhaps a README, a checksum or test recordings
 * beside it. Where several folders could be meant, `dir` itself.
 */
export async function modelFolderIn(dir: string): Promise<string> {
  const found = await modelFoldersIn(dir, MAX_DEPTH);
  return found.length === 1 ? (found[0] ?? dir) : dir;
}

async function modelFoldersIn(dir: string, depth: number): Promise<readonly string[]> {
  const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => !isClutter(name));
  if (entries.some(({ name }) => name.endsWith('.onnx'))) return [dir];
  const found: string[] = [];
  for (const entry of entries)
    if (depth > 0 && entry.isDirectory())
      found.push(...(await modelFoldersIn(join(dir, entry.name), depth - 1)));
  return found;
}

async function addBpeVocab(dir: string): Promise<void> {
  const names = await readdir(dir);
  if (!names.includes(BPE_MODEL_FILE) || names.includes(BPE_VOCAB_FILE)) return;
  const vocab = bpeVocabOf(await readFile(join(dir, BPE_MODEL_FILE)));
  if (vocab !== undefined) await writeFile(join(dir, BPE_VOCAB_FILE), vocab);
}

async function swapIn(from: string, to: string, asideDir: string): Promise<void> {
  const replaces = await renameIfThere(to, asideDir);
  try {
    await rename(from, to);
  } catch (error) {
    if (replaces) await rename(asideDir, to);
    throw error;
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function firstWritable(stores: readonly string[]): Promise<string> {
  const problems: string[] = [];
  for (const store of stores) {
    try {
      await mkdir(store, { recursive: true });
      await access(store, constants.W_OK);
      return store;
    } catch (error) {
      problems.push(errorMessage(error));
    }
  }
  throw new CaptionError(
    'model_store_failed',
    `There is no folder to install a model into (${problems.join('; ')}). Set CAPTION_MODELS_DIR to one that can be written.`,
  );
}

const storeError = (error: unknown, store: string): CaptionError =>
  error instanceof CaptionError
    ? error
    : new CaptionError(
        'model_store_failed',
        `The model cannot be installed in ${store}: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
