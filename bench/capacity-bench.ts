/**
 * `bench capacity`: more and more people talk at once until captions come too late or fall behind; what the machine gave at that
 * point. Definitions: README of this folder.
 */
import { availableParallelism } from 'node:os';
import type { Summary } from '../asr/index.js';
import { scheduleSpeakers } from './clip-schedule.js';
import { errorMessage } from '../protocol/index.js';
import { findKnee } from './find-knee.js';
import { samplesOf, summariseSpeakers } from './latency-bench.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { LEAD_TIME_MS, playSpeakers, type SpeakerRun } from './play-speakers.js';
import type { Sample } from './samples.js';
import type { MeasuredVenue } from './stage.js';
import { meanTalking, scheduleTalking } from './talking-speakers.js';
import { trendOf } from './trend.js';
import { UsageSampler } from './usage-sampler.js';

const WARM_UP_SECONDS = 5;
/** Latency that certainly grows by more than this over a step means a backlog. */
const BACKLOG_GROWTH_MS = 300;
/** With fewer words recognised than this share of what was said, captions are lost. */
const LEAST_WORDS_SHOWN = 0.6;
/** The knee is known when what fits and what does not are this near, as a share. */
const DEFAULT_PRECISION = 0.1;
/** From this share of all cores on, the machine is what limits. */
const CORES_USED_UP = 0.85;

export interface CapacityOptions {
  readonly manifest: string;
  /** Limit of the p95 of word latency. */
  readonly budgetMs: number;
  /** Of each step. */
  readonly seconds: number;
  /** People who talk on average in the first step. */
  readonly first: number;
  /** Never more than this. */
  readonly max: number;
  /** As in `PlayOptions`. */
  readonly wordTimes?: 'captions' | 'alignment' | undefined;
  /** Tries of a step that does not fit; default 2. */
  readonly tries?: number;
  /** Default 0.1: known to a tenth. */
  readonly precision?: number;
  readonly openStage: () => Promise<MeasuredVenue>;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** `bench used up`: the bench's own speakers dropped audio or held it back, so that more cannot be tried on this machine. */
export type TooMuch = 'latency' | 'backlog' | 'words lost' | 'failure' | 'bench used up';

export interface CapacityStep {
  /** People who were connected, so that as many as the step is for talked on average. Absent in runs kept before, whose `load` they were. */
  readonly speakers?: number;
  /** People inside a speech interval on average. Absent in runs kept before. */
  readonly talkingSpeakers?: number;
  readonly fits: boolean;
  /** Why not. */
  readonly because: TooMuch | null;
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
  /** How word latency grew over the step, in ms a second, with its interval. */
  readonly growthMsPerS: readonly [number, number] | null;
  readonly wer: number | null;
  readonly cpuCores: number | null;
  readonly rssMb: number | null;
  /** Of this process: speakers and viewers. */
  readonly clientCores: number;
  readonly failures: readonly string[];
  /** Whether the bench's own speakers sent all they said as they said it. */
  readonly areSpeakersHeard: boolean;
}

export interface CapacityResult {
  /** Most people who talked on average with all within the budget; 0 for none. */
  readonly knee: number;
  /** Fewest people with whom it was not; null when that was never seen. */
  readonly tooMuch: number | null;
  /** What ended it at `tooMuch`. */
  readonly limit: TooMuch | null;
  /** Whether then all cores were in use, speakers and viewers included: another machine would carry more. */
  readonly isMachineUsedUp: boolean | null;
  readonly budgetMs: number;
  readonly stepSeconds: number;
  /** `load`: people who should talk on average. */
  readonly steps: readonly (CapacityStep & { readonly load: number })[];
  readonly model: string | null;
  readonly machine: Machine;
}

/** Where the search ended before the system did, it carries at least so many; of none nothing is known. */
export function kneeText({
  knee,
  tooMuch,
  limit,
}: Pick<CapacityResult, 'knee' | 'tooMuch' | 'limit'>): string {
  if (tooMuch !== null && limit !== 'bench used up') return String(knee);
  return knee === 0 ? '–' : `≥ ${knee}`;
}

/** Throws what `loadClips`, opening the stage and `playSpeakers` throw. */
export async function runCapacityBench(
  options: CapacityOptions,
): Promise<{ result: CapacityResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const loaded = await loadClips(options.manifest);
  // Only words whose times are known can be late.
  const timed = loaded.filter(({ words }) => words.length > 0);
  const clips = timed.length > 0 ? timed : loaded;
  const stage = await options.openStage();
  const samples: Sample[] = [];
  let steps = 0;
  const step = async (talking: number): Promise<CapacityStep> => {
    steps += 1;
    const schedules = scheduleTalking(clips, { talking, seconds: options.seconds, leadMs: LEAD_TIME_MS });
    const failures: string[] = [];
    const usage = stage.gateway === undefined ? undefined : new UsageSampler(stage.gateway);
    const before = process.cpuUsage();
    const startedAtMs = performance.now();
    // So many that they cannot even come in are too many; that ends the search, not the bench.
    const runs = await playSpeakers({
      venue: stage.venue,
      rooms: `bench-capacity-${steps}`,
      wordTimes: options.wordTimes,
      schedules,
      usage,
      failed: (reason) => failures.push(reason),
      signal: options.signal,
    }).catch((error: unknown): SpeakerRun[] => {
      options.signal.throwIfAborted();
      failures.push(errorMessage(error));
      return [];
    });
    const { user, system } = process.cpuUsage(before);
    const clientCores = (user + system) / 1000 / (performance.now() - startedAtMs);
    const inStep = runs.flatMap(samplesOf);
    samples.push(...inStep.map((sample) => ({ ...sample, arm: `${talking} talking` })));
    const summary = summariseSpeakers(runs);
    const measured = {
      speakers: schedules.length,
      talkingSpeakers: Number(meanTalking(schedules, LEAD_TIME_MS).toFixed(1)),
      wordLatencyMs: summary.wordLatencyMs,
      finalLatencyMs: summary.finalLatencyMs,
      growthMsPerS: growthOf(inStep),
      wer: summary.wer,
      cpuCores: rounded(usage?.cpuCores),
      rssMb: rounded(usage?.peakMb),
      clientCores: rounded(clientCores) ?? 0,
      failures,
      areSpeakersHeard: runs.every(({ sendFault }) => sendFault === null),
    };
    const alignedWords = schedules.reduce(
      (sum, { clips: said }) => sum + said.reduce((inClips, { clip }) => inClips + clip.words.length, 0),
      0,
    );
    const because = tooMuchOf(measured, { ...options, alignedWords });
    options.output.write(
      `${talking} talking (${schedules.length} connected): p95 ${String(summary.wordLatencyMs.p95)} ms${because === null ? '' : `, ${because}`}\n`,
    );
    return { ...measured, fits: because === null, because };
  };
  try {
    await playSpeakers({
      venue: stage.venue,
      rooms: 'bench-warm-up',
      schedules: scheduleSpeakers(clips, { speakers: 1, seconds: WARM_UP_SECONDS }),
      failed: () => undefined,
      signal: options.signal,
    });
    const found = await findKnee({
      first: options.first,
      max: options.max,
      precision: options.precision ?? DEFAULT_PRECISION,
      ...(options.tries === undefined ? {} : { tries: options.tries }),
      run: step,
    });
    const last = found.steps.filter(({ load }) => load === found.tooMuch).at(-1);
    const result: CapacityResult = {
      ...found,
      limit: last?.because ?? null,
      isMachineUsedUp:
        last === undefined || last.cpuCores === null
          ? null
          : last.cpuCores + last.clientCores > CORES_USED_UP * availableParallelism(),
      budgetMs: options.budgetMs,
      stepSeconds: options.seconds,
      model: stage.gateway?.model ?? null,
      machine,
    };
    return { result, samples };
  } finally {
    await stage.close();
  }
}

/** Over the means of whole seconds of speech, because words that are near in time are late together. */
function growthOf(samples: readonly Sample[]): readonly [number, number] | null {
  const bySecond = new Map<number, number[]>();
  for (const { metric, value, atS } of samples) {
    if (metric !== 'wordLatencyMs' || atS === undefined) continue;
    const second = Math.floor(atS);
    bySecond.set(second, [...(bySecond.get(second) ?? []), value]);
  }
  const points = [...bySecond].map(([at, values]) => ({
    at,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
  }));
  return trendOf(points)?.interval ?? null;
}

function tooMuchOf(
  step: Pick<CapacityStep, 'wordLatencyMs' | 'growthMsPerS' | 'failures' | 'areSpeakersHeard'>,
  limits: { readonly budgetMs: number; readonly seconds: number; readonly alignedWords: number },
): TooMuch | null {
  if (!step.areSpeakersHeard) return 'bench used up';
  if (step.failures.length > 0) return 'failure';
  if (step.wordLatencyMs.count < LEAST_WORDS_SHOWN * limits.alignedWords) return 'words lost';
  if ((step.growthMsPerS?.[0] ?? 0) * limits.seconds > BACKLOG_GROWTH_MS) return 'backlog';
  return (step.wordLatencyMs.p95 ?? Infinity) > limits.budgetMs ? 'latency' : null;
}

const rounded = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Number(value.toFixed(3));
