/** Where models are looked for. Nothing here opens a connection. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { inspectModel, type InstalledModel, type InstalledPunctuation } from './inspect.js';
import { isMissing } from './install-record.js';
import {
  assertModelId,
  isModelId,
  MODEL_REGISTRY,
  PUNCTUATION_MODEL_ID,
  registeredModel,
  type PrecisionPreference,
  type RegisteredModel,
} from './registry.js';

export interface ModelPlaces {
  /** `CAPTION_MODELS_DIR`, if set. */
  readonly configuredDir?: string | undefined;
  /** Where the process was started. */
  readonly workingDir: string;
  /** The user's cache: `XDG_CACHE_HOME`, else `~/.cache`. */
  readonly cacheDir: string;
}

/** The folders that are searched, first to last. */
export const modelDirectories = (places: ModelPlaces): readonly string[] => [
  ...(places.configuredDir === undefined ? [] : [resolve(places.workingDir, places.configuredDir)]),
  resolve(places.workingDir, 'models'),
  resolve(places.workingDir, '../shared/models'),
  cacheStore(places),
];

/** The folders that models are installed into: the first that can be written. */
export const modelStores = (places: ModelPlaces): readonly string[] => [
  ...(places.configuredDir === undefined ? [] : [resolve(places.workingDir, places.configuredDir)]),
  cacheStore(places),
];

const cacheStore = ({ workingDir, cacheDir }: ModelPlaces): string =>
  resolve(workingDir, cacheDir, 'caption-gateway', 'models');

export interface FindOptions {
  /** A registered id, or the name of the model's folder. */
  readonly id: string;
  /** As from `modelDirectories`. */
  readonly directories: readonly string[];
  /** Default `auto`. */
  readonly precision?: PrecisionPreference | undefined;
  /** Default: the built-in one. */
  readonly registry?: readonly RegisteredModel[] | undefined;
}

/**
 * The first usable recogniser of that id, or undefined when no directory has one.
 * Throws CaptionError `model_incomplete` or `model_damaged` when there are only broken ones, `model_wrong_kind` when
 * the id is a punctuation model's, `usage_model_id` when it can be no id at all.
 */
export async function findModel(options: FindOptions): Promise<InstalledModel | undefined> {
  const found = await findInstalled(options);
  if (found === undefined || found.kind === 'recogniser') return found;
  throw new CaptionError(
    'model_wrong_kind',
    `"${options.id}" adds punctuation; it does not recognise speech.`,
  );
}

/** The punctuation model, if one is installed. Throws like `findModel`. */
export async function findPunctuationModel(
  options: Omit<FindOptions, 'id'>,
): Promise<InstalledPunctuation | undefined> {
  const found = await findInstalled({ ...options, id: PUNCTUATION_MODEL_ID });
  return found?.kind === 'punctuation' ? found : undefined;
}

/** The first usable model of that id, of any kind. Throws like `findModel`, except `model_wrong_kind`. */
export async function findInstalled(
  options: FindOptions,
): Promise<InstalledModel | InstalledPunctuation | undefined> {
  assertModelId(options.id);
  const registered = registeredModel(options.id, options.registry ?? MODEL_REGISTRY);
  const id = registered?.id ?? options.id;
  let firstProblem: unknown;
  for (const dir of candidateDirs(options.directories, id, registered)) {
    if (!(await isDirectory(dir))) continue;
    try {
      return await inspectModel({ dir, id, registered, precision: options.precision ?? 'auto' });
    } catch (error) {
      firstProblem ??= error;
    }
  }
  if (firstProblem !== undefined) throw asModelError(firstProblem, id);
  return undefined;
}

export type ListedModel =
  | ({ readonly state: 'usable'; readonly dir: string; readonly sizeBytes: number } & {
      readonly model: InstalledModel | InstalledPunctuation;
    })
  | { readonly state: 'broken'; readonly id: string; readonly dir: string; readonly problem: CaptionError };

/** Every model in the directories, in the order in which they are searched; of one id the first is the one used. */
export async function listInstalled(
  directories: readonly string[],
  registry: readonly RegisteredModel[] = MODEL_REGISTRY,
): Promise<readonly ListedModel[]> {
  const listed: ListedModel[] = [];
  for (const directory of new Set(directories)) {
    for (const name of await subfolders(directory)) {
      const registered = registeredModel(name, registry);
      const dir = join(directory, name);
      if (registered === undefined && !(await looksLikeModel(dir))) continue;
      listed.push(await describe(dir, registered?.id ?? name, registered));
    }
  }
  return listed;
}

async function describe(
  dir: string,
  id: string,
  registered: RegisteredModel | undefined,
): Promise<ListedModel> {
  try {
    const model = await inspectModel({ dir, id, registered, precision: 'auto' });
    return { state: 'usable', dir, sizeBytes: await totalBytes(dir), model };
  } catch (error) {
    return { state: 'broken', id, dir, problem: asModelError(error, id) };
  }
}

const candidateDirs = (
  directories: readonly string[],
  id: string,
  registered: RegisteredModel | undefined,
): readonly string[] =>
  directories.flatMap((directory) =>
    [id, ...(registered ? [registered.folder] : [])].map((name) => join(directory, name)),
  );

/** The folders of a directory whose names can be ids, sorted; none where there is no such directory. */
async function subfolders(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter(isModelId).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A folder that nobody registered is shown when it has an encoder or what is left of a model. */
async function looksLikeModel(dir: string): Promise<boolean> {
  if (!(await isDirectory(dir))) return false;
  const names = await readdir(dir);
  return names.some((name) => /^(?:encoder|decoder|joiner).*\.onnx$/.test(name));
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function totalBytes(dir: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return total;
}

/** A folder that cannot be read is, for its user, a damaged model too. */
const asModelError = (error: unknown, id: string): CaptionError =>
  error instanceof CaptionError
    ? error
    : new CaptionError('model_damaged', `The model "${id}" cannot be read: ${errorMessage(error)}`, {
        cause: error,
      });
