/** Installs a model from a folder or an archive on this machine: for machines without any network. */
import { copyFile, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import type { InstalledModel, InstalledPunctuation } from './inspect.js';
import { isMissing } from './install-record.js';
import { belongsToModel } from './model-files.js';
import { archiveFileName, checkArchive } from './pull.js';
import { assertModelId, MODEL_REGISTRY, registeredModel, type RegisteredModel } from './registry.js';
import { inWorkplace, install, modelFolderIn, type Workplace, type WorkplaceOptions } from './store.js';
import { unpackArchive } from './unpack.js';
import { verifyModel } from './verify.js';

const ARCHIVE_ENDING = /\.(?:tar\.bz2|tar\.gz|tbz2?|tgz|tar)$/i;

export interface ImportOptions extends Omit<WorkplaceOptions, 'id'> {
  /** A folder with a model's files, or a .tar.bz2, .tar.gz or .tar archive of one. */
  readonly path: string;
  /** What to call it. Default: the registered model of that folder or archive name, else that name itself. */
  readonly id?: string | undefined;
  /** Default 16 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
  readonly registry?: readonly RegisteredModel[] | undefined;
}

/**
 * Copies or unpacks the model beside its place, checks it, and only then puts it there; a model of the same id that
 * was installed before is replaced. Of a folder, only files that can belong to a model are taken, and if it
 * has an install record, they must be what the record says.
 * Throws CaptionError `usage_import_path`, `usage_model_id`, `model_incomplete` or `model_damaged` (it is no model),
 * and for archives what `pullModel` throws about them.
 */
export async function importModel(options: ImportOptions): Promise<InstalledModel | InstalledPunctuation> {
  const path = resolve(options.path);
  const isFolder = await isFolderOrFile(path);
  const name = isFolder ? basename(path) : basename(path).replace(ARCHIVE_ENDING, '');
  const registered = registeredModel(options.id ?? name, options.registry ?? MODEL_REGISTRY);
  const id = registered?.id ?? options.id ?? name;
  assertModelId(id);
  return inWorkplace({ ...options, id }, (place) =>
    isFolder ? importFolder(place, path, registered) : importArchive(place, { ...options, path }, registered),
  );
}

async function importFolder(
  place: Workplace,
  path: string,
  registered: RegisteredModel | undefined,
): Promise<InstalledModel | InstalledPunctuation> {
  const from = await modelFolderIn(path);
  // Before anything is copied: somebody may have named the wrong, and a big, folder. A folder that was installed on
  // another machine brings its record, and what happened to it on its way is found.
  await verifyModel({
    dir: from,
    id: place.id,
    signal: place.signal,
    registry: registered ? [registered] : [],
  });
  for (const name of await readdir(from)) {
    place.signal.throwIfAborted();
    // Follows links: caches of model hubs consist of links to files.
    if (!belongsToModel(name) || !(await stat(join(from, name))).isFile()) continue;
    await copyFile(join(from, name), join(place.stagingDir, name));
  }
  return install(place, { dir: place.stagingDir, registered, source: path });
}

async function importArchive(
  place: Workplace,
  options: ImportOptions,
  registered: RegisteredModel | undefined,
): Promise<InstalledModel | InstalledPunctuation> {
  const { path } = options;
  const isOfficial = registered !== undefined && basename(path) === archiveFileName(registered.archive);
  const archive = await checkArchive(path, isOfficial ? registered.archive : {}, {
    ...options,
    signal: place.signal,
  });
  await unpackArchive({ ...options, archivePath: path, targetDir: place.stagingDir, signal: place.signal });
  return install(place, { dir: await modelFolderIn(place.stagingDir), registered, source: path, archive });
}

/** True for a folder, false for a file. */
async function isFolderOrFile(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (found.isDirectory() || found.isFile()) return found.isDirectory();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  throw new CaptionError('usage_import_path', `${path} is neither a folder nor an archive.`);
}
