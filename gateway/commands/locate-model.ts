import { resolve } from 'node:path';
import {
  ensureModel,
  findInstalled,
  type InstalledModel,
  type InstalledPunctuation,
  modelDirectories,
  modelStores,
  type PrecisionPreference,
} from '../../asr/index.js';
import { CaptionError } from '../../protocol/index.js';
import type { Environment } from '../config/environment.js';
import type { CommandContext } from './command-context.js';
import { InstallProgressDisplay } from './install-progress-display.js';

export interface LocatedModels {
  readonly model: InstalledModel;
  readonly punctuation?: InstalledPunctuation;
  /** See `ChildEngineOptions`. */
  readonly graphCacheDir: string;
}

/** Where models are looked for, and where they are installed. */
export function modelPlaces(environment: Environment): {
  directories: readonly string[];
  stores: readonly string[];
  mirror?: string;
} {
  const { settings, workingDir, cacheDir } = environment;
  const configuredDir = settings.CAPTION_MODELS_DIR;
  const places = { workingDir, cacheDir, ...(configuredDir === '' ? {} : { configuredDir }) };
  const mirror = settings.CAPTION_MODELS_MIRROR;
  return {
    directories: modelDirectories(places),
    stores: modelStores(places),
    ...(mirror === '' ? {} : { mirror }),
  };
}

/**
 * The configured models; the recogniser is downloaded when it is on no disk. Throws CaptionError `model_missing` (with
 * the ways to get one) and what `ensureModel` throws.
 */
export async function locateModels(
  context: Pick<CommandContext, 'environment' | 'stderr' | 'signal'>,
): Promise<LocatedModels> {
  const { settings } = context.environment;
  const id = settings.CAPTION_MODEL;
  const places = modelPlaces(context.environment);
  const display = new InstallProgressDisplay({
    output: context.stderr,
    isTty: context.stderr.isTTY,
    label: id,
  });
  try {
    const model = await ensureModel({
      ...places,
      id,
      precision: settings.CAPTION_MODEL_PRECISION as PrecisionPreference,
      signal: context.signal,
      onProgress: (progress) => display.show(progress),
    });
    const punctuation = await locatePunctuation(settings.CAPTION_PUNCTUATION_MODEL, places.directories);
    const { workingDir, cacheDir } = context.environment;
    const graphCacheDir = resolve(workingDir, cacheDir, 'caption-gateway', 'graphs');
    return { model, graphCacheDir, ...(punctuation === undefined ? {} : { punctuation }) };
  } finally {
    display.close();
  }
}

async function locatePunctuation(
  id: string,
  directories: readonly string[],
): Promise<InstalledPunctuation | undefined> {
  if (id === '') return undefined;
  const found = await findInstalled({ directories, id });
  if (found?.kind === 'punctuation') return found;
  throw new CaptionError(
    'model_missing',
    `Punctuation model ${id} is not installed. Run: caption-gateway models pull ${id}`,
  );
}
