/** `bench engine`: what recognition costs, alone and inside the gateway. Arms take turns; figures are medians. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CaptionError } from '../protocol/index.js';
import { builtModule, type InstalledModel, percentile } from '../asr/index.js';
import { locateModels, readEnvironment, readSpeech } from '../gateway/index.js';
import type { BatchFigures, EngineWorkerAnswer, EngineWorkerTask } from './engine-worker.js';
import { GatewayProcess } from './gateway-process.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { readManifest } from './manifest.js';
import { measureSilence, type SilenceCost } from './silence-bench.js';

const BATCH_SIZES = [1, 2, 4, 8, 16, 32];
const ENGINES = ['sherpa', 'zipformer'] as const;
const ROUNDS = 3;
const COLD_STARTS = 5;
/** Enough speech for a figure, little enough for patience. */
const CLIPS = 2;

export interface EngineArm {
  readonly engine: 'zipformer' | 'sherpa';
  readonly precision: 'int8' | 'fp32';
  readonly batches: readonly BatchFigures[];
  readonly mbPerStream: number;
  readonly textsThatDiffer: number;
}

interface Arm {
  readonly model: InstalledModel;
  readonly engine: EngineArm['engine'];
}

export interface EngineResult {
  readonly model: string;
  readonly arms: readonly EngineArm[];
  readonly silence: SilenceCost;
  /** From spawn of the gateway to one that takes connections, model on disk. */
  readonly coldStartMs: number | null;
  readonly machine: Machine;
}

export interface EngineBenchOptions {
  readonly manifest: string;
  readonly silenceSeconds: number;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

export async function runEngineBench(options: EngineBenchOptions): Promise<EngineResult> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await readManifest(options.manifest);
  const spoken = await Promise.all(clips.slice(0, CLIPS).map(({ path }) => readSpeech(path)));
  const models = await bothPrecisions(options);
  const arms = models.flatMap((model) => ENGINES.map((engine) => ({ model, engine })));
  const answers = new Map<Arm, EngineWorkerAnswer[]>(arms.map((arm) => [arm, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [arm, given] of answers) {
      options.output.write(`round ${round} of ${ROUNDS}: ${arm.engine} ${arm.model.precision}\n`);
      given.push(await runWorker(arm, spoken));
      options.signal.throwIfAborted();
    }
  }
  const figures = [...answers].map(([arm, given]) => medianArm(arm, given));
  options.output.write('silence\n');
  const silence = await measureSilence(spoken, options);
  options.output.write('cold start\n');
  const startsMs: number[] = [];
  for (let start = 0; start < COLD_STARTS; start++) {
    const gateway = await GatewayProcess.start();
    startsMs.push(gateway.startMs);
    await gateway.close();
  }
  return {
    model: models[0]?.id ?? '',
    arms: figures,
    silence,
    coldStartMs: percentile(startsMs, 50),
    machine,
  };
}

/** The configured model in int8 and fp32, or in the one variant that there is. */
async function bothPrecisions({ output, signal }: EngineBenchOptions): Promise<InstalledModel[]> {
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

async function runWorker({ model, engine }: Arm, clips: readonly Int16Array[]): Promise<EngineWorkerAnswer> {
  const worker = fork(builtModule('bench/engine-worker.js'), [], {
    serialization: 'advanced',
    execArgv: ['--expose-gc'],
  });
  const { encoder, decoder, joiner, tokens } = model.files;
  const task: EngineWorkerTask = {
    config: { engine, encoder, decoder, joiner, tokens, threads: 1, changedWordsAllowed: 0 },
    batchSizes: BATCH_SIZES,
    clips,
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

function medianArm({ model, engine }: Arm, answers: readonly EngineWorkerAnswer[]): EngineArm {
  const median = (values: readonly number[]): number => percentile(values, 50) ?? 0;
  return {
    engine,
    precision: model.precision,
    batches: BATCH_SIZES.map((batchSize, index) => ({
      batchSize,
      streamsPerCore: median(answers.map(({ batches }) => batches[index]?.streamsPerCore ?? 0)),
      msPerCall: median(answers.map(({ batches }) => batches[index]?.msPerCall ?? 0)),
    })),
    mbPerStream: median(answers.map(({ mbPerStream }) => mbPerStream)),
    textsThatDiffer: Math.max(...answers.map(({ textsThatDiffer }) => textsThatDiffer)),
  };
}
