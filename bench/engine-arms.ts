/** Engines beside each other, each measured in a process of its own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CaptionError } from '../protocol/index.js';
import { builtModule, type InstalledModel } from '../asr/index.js';
import { locateModels, readEnvironment } from '../gateway/index.js';
import type { EngineWorkerAnswer, EngineWorkerTask } from './engine-worker.js';

const ENGINES = ['sherpa', 'zipformer'] as const;

export type Engine = (typeof ENGINES)[number];

export interface Arm {
  readonly model: InstalledModel;
  readonly engine: Engine;
}

export const armsOf = (model: InstalledModel): Arm[] => ENGINES.map((engine) => ({ model, engine }));

/** The configured model in int8 and fp32, or in the one variant that there is. */
export async function bothPrecisions({
  output,
  signal,
}: {
  output: NodeJS.WriteStream;
  signal: AbortSignal;
}): Promise<InstalledModel[]> {
  const environment = readEnvironment();
  const found: InstalledModel[] = [];
  for (const precision of ['int8', 'fp32']) {
    const settings = { ...environment.settings, CAPTION_MODEL_PRECISION: precision };
    const { model } = await locateModels({
      environment: { ...environment, settings },
      stderr: output,
      signal,
    });
    if (!found.some((other) => other.precision === model.precision)) found.push(model);
  }
  return found;
}

/** Throws CaptionError `bench_worker_failed`. */
export async function runWorker(
  { model, engine }: Arm,
  work: Pick<EngineWorkerTask, 'clips' | 'batchSizes'>,
): Promise<EngineWorkerAnswer> {
  const worker = fork(builtModule('bench/engine-worker.js'), [], {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
  });
  const { encoder, decoder, joiner, tokens } = model.files;
  const task: EngineWorkerTask = {
    config: { engine, encoder, decoder, joiner, tokens, threads: 1, changedWordsAllowed: 0 },
    ...work,
  };
  worker.send(task);
  const ended = once(worker, 'exit').then(([code]) => {
    throw new CaptionError('bench_worker_failed', `The measuring process ended with ${String(code)}.`);
  });
  const [answer] = (await Promise.race([once(worker, 'message'), ended])) as [EngineWorkerAnswer];
  // It goes by itself; that is no failure any more.
  await ended.catch(() => undefined);
  return answer;
}
