/** Raw measurements, kept as JSON Lines: what percentiles and comparisons are made of. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionError, errorMessage } from '../protocol/index.js';

/** One raw measurement. */
export interface Sample {
  /** Name of the figure in the result, such as `wordLatencyMs`. */
  readonly metric: string;
  readonly value: number;
  /** Makes the figure a share: the sum of the values over the sum of the weights. Absent for figures that are percentiles. */
  readonly weight?: number;
  /** What was measured together and is not independent: a clip as one speaker said it. */
  readonly cluster: string;
  /** Since the meeting began, where the moment matters. */
  readonly atS?: number;
  /** Which of several interleaved arms; absent where there is one. */
  readonly arm?: string;
}

/** A bench and what came of it, as a file keeps it. */
export interface KeptRun {
  readonly bench: string;
  readonly result: unknown;
  readonly samples: readonly Sample[];
}

/**
 * One file per run: the first line is `{"bench", "result"}`, each further line a sample. Returns its path. Throws what
 * writing a file throws.
 */
export async function keepRun(folder: string, run: KeptRun): Promise<string> {
  await mkdir(folder, { recursive: true });
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const path = join(folder, `${run.bench}-${stamp}.jsonl`);
  const lines = [{ bench: run.bench, result: run.result }, ...run.samples];
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

/** Throws CaptionError `usage_run_invalid`. */
export async function readRun(path: string): Promise<KeptRun> {
  try {
    const [first, ...rest] = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line));
    if (!isRunLine(first)) throw new Error('its first line is no {"bench", "result"}');
    const wrong = rest.findIndex((line) => !isSample(line));
    if (wrong !== -1) throw new Error(`line ${wrong + 2} is no sample`);
    return { ...first, samples: rest.filter(isSample) };
  } catch (error) {
    throw new CaptionError('usage_run_invalid', `${path} is no kept run: ${errorMessage(error)}`);
  }
}

/**
 * The newest run of a bench in a folder. Throws CaptionError `usage_run_invalid`, also when there is none.
 */
export async function readNewestRun(folder: string, bench: string): Promise<KeptRun> {
  const names = await readdir(folder).catch(() => []);
  // Names end in the moment at which they were kept.
  const newest = names
    .filter((name) => name.startsWith(`${bench}-2`) && name.endsWith('.jsonl'))
    .toSorted()
    .at(-1);
  if (newest === undefined)
    throw new CaptionError('usage_run_invalid', `${folder} has no kept run of ${bench}.`);
  return readRun(join(folder, newest));
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isRunLine = (value: unknown): value is { bench: string; result: unknown } =>
  isObject(value) && typeof value['bench'] === 'string' && 'result' in value;

const isSample = (value: unknown): value is Sample =>
  isObject(value) &&
  typeof value['metric'] === 'string' &&
  typeof value['cluster'] === 'string' &&
  Number.isFinite(value['value']) &&
  (value['weight'] === undefined || Number.isFinite(value['weight']));
