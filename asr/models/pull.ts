/** Fetches registered models, from their official address or an inside mirror. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { downloadFile, type DownloadLimits } from './download.js';
import { inspectModel, type InstalledModel, type InstalledPunctuation } from './inspect.js';
import { sha256OfFile } from './install-record.js';
import { findModel, type FindOptions } from './locate.js';
import { PartFile } from './part-file.js';
import { MODEL_REGISTRY, registeredModel, type ModelArchive, type RegisteredModel } from './registry.js';
import { inWorkplace, install, modelFolderIn, type Workplace, type WorkplaceOptions } from './store.js';
import { unpackArchive } from './unpack.js';

export interface PullOptions extends Omit<FindOptions, 'directories'>, WorkplaceOptions, DownloadLimits {
  /** `CAPTION_MODELS_MIRROR`: the archive is then fetched from this address + "/" + its file name. */
  readonly mirror?: string | undefined;
  /** Default 16 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
}

export interface EnsureOptions extends PullOptions {
  /** As from `modelDirectories`. */
  readonly directories: readonly string[];
}

/**
 * The recogniser, from disk where it is there (then no connection is opened), else downloaded.
 * Throws CaptionError `model_missing` when it is neither there nor to be had, and what `findModel` and `pullModel` throw.
 */
export async function ensureModel(options: EnsureOptions): Promise<InstalledModel> {
  const found = await findModel(options);
  if (found !== undefined) return found;
  if (registeredModel(options.id, options.registry ?? MODEL_REGISTRY) === undefined)
    throw modelMissing(options);
  try {
    await pullModel(options);
  } catch (error) {
    const isOutOfReach =
      error instanceof CaptionError && ['download_failed', 'model_store_failed'].includes(error.code);
    throw isOutOfReach ? modelMissing(options, error) : error;
  }
  const pulled = await findModel({ ...options, directories: options.stores });
  if (pulled === undefined) throw modelMissing(options);
  return pulled;
}

/**
 * Downloads, checks, unpacks and installs a registered model of any kind, unless the store has it already.
 * Several processes may do so at once: one works, the others wait and then find the model.
 * Throws CaptionError `usage_unknown_model`, `usage_models_mirror`, `download_failed`, `archive_mismatch` (size or
 * checksum), `archive_unsafe`, `archive_damaged`, `model_incomplete`, `model_damaged`, `model_store_failed`,
 * `model_locked`, and the signal's reason.
 */
export async function pullModel(options: PullOptions): Promise<InstalledModel | InstalledPunctuation> {
  const registered = knownModel(options);
  const url = archiveUrl(registered.archive, options.mirror);
  return inWorkplace({ ...options, id: registered.id }, async (place) => {
    const present = await installedInStore(place, registered, options);
    if (present !== undefined) return present;
    const part = new PartFile(join(place.workDir, 'archive.part'));
    await downloadFile({
      ...options,
      url,
      partPath: part.path,
      expectedBytes: registered.archive.sizeBytes,
      signal: place.signal,
    });
    try {
      const archive = await checkArchive(part.path, registered.archive, { ...options, signal: place.signal });
      await unpackArchive({
        ...options,
        archivePath: part.path,
        targetDir: place.stagingDir,
        signal: place.signal,
      });
      const dir = await modelFolderIn(place.stagingDir);
      return await install(place, { dir, registered, source: url, archive, precision: options.precision });
    } finally {
      // A whole download was installed or is bad, and would only fail again; one that was interrupted is kept.
      if (!place.signal.aborted) await part.remove();
    }
  });
}

/** The address of an archive. Throws CaptionError `usage_models_mirror` for a mirror that is no plain web address. */
export function archiveUrl(archive: ModelArchive, mirror?: string): string {
  if (mirror === undefined) return archive.url;
  const base = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (base === undefined || !['http:', 'https:'].includes(base.protocol) || base.username !== '') {
    throw new CaptionError(
      'usage_models_mirror',
      `CAPTION_MODELS_MIRROR is "${mirror}" and should be a web address without a user name, such as https://mirror.example/models.`,
    );
  }
  return `${mirror.replace(/\/+$/, '')}/${archiveFileName(archive)}`;
}

/** The last part of the address. */
export const archiveFileName = ({ url }: ModelArchive): string => url.slice(url.lastIndexOf('/') + 1);

export interface CheckArchiveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: PullOptions['onProgress'];
}

/**
 * Size and checksum of an archive on disk, after comparing them with those that are known.
 * Throws CaptionError `archive_mismatch`.
 */
export async function checkArchive(
  path: string,
  known: Omit<ModelArchive, 'url'>,
  { signal, onProgress }: CheckArchiveOptions,
): Promise<{ sizeBytes: number; sha256: string }> {
  const sizeBytes = (await stat(path)).size;
  onProgress?.({ phase: 'checking', doneBytes: 0, totalBytes: sizeBytes });
  const sha256 = await sha256OfFile(path, signal);
  if (known.sizeBytes !== undefined && known.sizeBytes !== sizeBytes) {
    throw mismatch(`has ${sizeBytes} bytes instead of ${known.sizeBytes}`);
  }
  if (known.sha256 !== undefined && known.sha256 !== sha256) {
    throw mismatch(`has the SHA-256 ${sha256} instead of ${known.sha256}`);
  }
  return { sizeBytes, sha256 };
}

const mismatch = (what: string): CaptionError =>
  new CaptionError(
    'archive_mismatch',
    `The archive ${what}. Nothing of it was unpacked. If it comes from a mirror, compare the mirror's copy with the original.`,
  );

function knownModel({ id, registry = MODEL_REGISTRY }: PullOptions): RegisteredModel {
  const registered = registeredModel(id, registry);
  if (registered !== undefined) return registered;
  const known = registry.map((model) => model.id).join(', ');
  throw new CaptionError('usage_unknown_model', `There is no model "${id}" to pull. Known are: ${known}.`);
}

/** What is in the store already, if it is in order; a broken one is about to be replaced. */
async function installedInStore(
  place: Workplace,
  registered: RegisteredModel,
  { precision = 'auto' }: PullOptions,
): Promise<InstalledModel | InstalledPunctuation | undefined> {
  try {
    return await inspectModel({ dir: join(place.store, place.id), id: place.id, registered, precision });
  } catch {
    return undefined;
  }
}

function modelMissing({ id, directories, registry }: EnsureOptions, cause?: unknown): CaptionError {
  const known = registeredModel(id, registry ?? MODEL_REGISTRY);
  const why = cause === undefined ? '' : ` and it could not be downloaded (${errorMessage(cause)})`;
  const lines = [
    `The model "${id}" is in none of ${directories.join(', ')}${why}. Three ways to get it:`,
    known
      ? `  1. "caption-gateway models pull ${known.id}" where there is a network, or with CAPTION_MODELS_MIRROR set to an inside mirror`
      : '  1. "caption-gateway models list" shows the models that "models pull" can fetch; this is none of them',
    `  2. "caption-gateway models import DIR|ARCHIVE --id ${known?.id ?? id}" with a copy brought from another machine`,
    `  3. CAPTION_MODELS_DIR set to a folder that has it in a sub-folder "${known?.id ?? id}"`,
  ];
  return new CaptionError('model_missing', lines.join('\n'), { cause });
}
