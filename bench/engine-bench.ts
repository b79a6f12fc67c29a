/** `bench engine`: what recognition costs, alone and inside the gateway. Arms take turns; figures are medians. */
import { percentile } from '../asr/index.js';
import { readSpeech } from '../gateway/index.js';
import { type Arm, armsOf, bothPrecisions, type Engine, runWorker } from './engine-arms.js';
import type { BatchFigures, EngineWorkerAnswer } from './engine-worker.js';
import { GatewayProcess } from './gateway-process.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { readManifest } from './manifest.js';
import { measureSilence, type SilenceCost } from './silence-bench.js';

const BATCH_SIZES = [1, 2, 4, 8, 16, 32];
const ROUNDS = 3;
const COLD_STARTS = 5;
/** Enough speech for a figure, little enough for patience. */
const CLIPS = 2;

export interface EngineArm {
  readonly engine: Engine;
  readonly precision: 'int8' | 'fp32';
  readonly batches: readonly BatchFigures[];
  readonly mbPerStream: number;
  readonly textsThatDiffer: number;
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
  const arms = models.flatMap(armsOf);
  const answers = new Map<Arm, EngineWorkerAnswer[]>(arms.map((arm) => [arm, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [arm, given] of answers) {
      options.output.write(`round ${round} of ${ROUNDS}: ${arm.engine} ${arm.model.precision}\n`);
      given.push(await runWorker(arm, { clips: spoken, batchSizes: BATCH_SIZES }));
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
