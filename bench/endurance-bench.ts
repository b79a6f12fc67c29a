/**
 * `bench endurance`: the same people talk on and on, lap after lap in one session; whether captions come later and memory grows with
 * time. Definitions: README of this folder.
 */
import type { Summary } from '../asr/index.js';
import { CaptionWatch, playPaced } from '../gateway/index.js';
import type { CaptionMessage, CaptionState } from '../protocol/index.js';
import { babbleOf } from './babble.js';
import { scheduleSpeakers, type SpeakerSchedule } from './clip-schedule.js';
import { scoreClips } from './clip-score.js';
import { roundedSummary, samplesOf } from './latency-bench.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { identityOf } from './play-speakers.js';
import type { Sample } from './samples.js';
import type { Stage } from './stage.js';
import { trendOf } from './trend.js';

/** Of laps; shorter for short runs, so that there are enough of them for a trend. */
const LAP_SECONDS = 60;
const LEAST_LAPS = 6;
const LEAD_TIME_MS = 300;
const CLIPS_OF_BABBLE = 8;
/** The last finals of a lap may come this much later. */
const GRACE_MS = 10_000;
const MEMORY_INTERVAL_MS = 5000;
/** Growth over the whole run of more than this share of where it began is a failure, if it is certain. */
const MAX_GROWTH = 0.1;

export interface EnduranceOptions {
  readonly manifest: string;
  readonly speakers: number;
  /** Further people from whom nothing but babble comes, all the time. Default 0. */
  readonly noisy?: number;
  readonly seconds: number;
  readonly openStage: () => Promise<Stage>;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface Drift {
  /** By the line of least squares over the run; the first lap is left out. */
  readonly atStart: number;
  readonly perHour: number;
  /** 95 %. */
  readonly perHourInterval: readonly [number, number];
  /** From the beginning to the end of the run, as a share of `atStart`. */
  readonly growth: number;
}

export interface EnduranceResult {
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
  /** Of the laps' medians of word latency; null for fewer than three laps after the first. */
  readonly latencyDriftMs: Drift | null;
  /** Of the private memory of the gateway and its children, every five seconds. */
  readonly memoryDriftMb: Drift | null;
  readonly laps: readonly {
    readonly atS: number;
    readonly p50: number | null;
    readonly p95: number | null;
  }[];
  readonly wer: number | null;
  readonly speakers: number;
  readonly noisy: number;
  readonly seconds: number;
  readonly model: string | null;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** Throws what `loadClips`, opening the stage and connecting throw. */
export async function runEnduranceBench(
  options: EnduranceOptions,
): Promise<{ result: EnduranceResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest);
  const lapSeconds = Math.min(LAP_SECONDS, options.seconds / LEAST_LAPS);
  const schedules = scheduleSpeakers(clips, { speakers: options.speakers, seconds: lapSeconds });
  const babble = babbleOf(
    clips.slice(0, CLIPS_OF_BABBLE),
    Math.max(...schedules.map(({ pcm }) => pcm.length)),
  );
  const noise = Array<Int16Array>(options.noisy ?? 0).fill(babble);
  const failures: string[] = [];
  const stage = await options.openStage();
  const samples: Sample[] = [];
  const watches = new Watches();
  const session = await stage.venue
    .open({
      rooms: 'bench-endurance',
      speakers: [...schedules, ...noise].map((_, index) => identityOf(index)),
      watch: (state, message) => watches.observe(state, message),
      failed: (reason) => failures.push(reason),
    })
    .catch(async (error: unknown) => {
      await stage.close();
      throw error;
    });
  const firstAtMs = performance.now() + LEAD_TIME_MS;
  const timer = setInterval(() => {
    if (stage.gateway === undefined) return;
    const atS = (performance.now() - firstAtMs) / 1000;
    const { privateMb } = stage.gateway.usage();
    samples.push({ metric: 'privateMb', value: privateMb, cluster: atS.toFixed(0), atS });
  }, MEMORY_INTERVAL_MS);
  try {
    let lapAtMs = firstAtMs;
    let scored: Promise<void> = Promise.resolve();
    for (let lap = 0; lapAtMs - firstAtMs < options.seconds * 1000; lap += 1) {
      const startAtMs = lapAtMs;
      const watch = watches.begin();
      const tracks = [...schedules.map(({ pcm }) => pcm), ...noise].map((pcm, index) => ({
        pcm,
        send: (frame: Int16Array) => session.send(index, frame),
      }));
      await playPaced(tracks, { startAtMs, signal: options.signal });
      options.signal.throwIfAborted();
      lapAtMs = startAtMs + Math.max(...schedules.map(({ pcm }) => pcm.length)) / 16;
      scored = watches.end(watch, options.signal).then(() => {
        const inLap = scoreLap(schedules, { watch, startAtMs, atS: (startAtMs - firstAtMs) / 1000, lap });
        samples.push(...inLap);
        options.output.write(`lap ${lap + 1}: ${lapLine(inLap)}\n`);
      });
    }
    await session.end();
    await scored;
    for (const index of schedules.keys()) {
      const fault = session.sendFault?.(index) ?? null;
      if (fault !== null) failures.push(`${identityOf(index)} (of the bench) ${fault}`);
    }
    return {
      result: resultOf(options, { samples, failures, machine, model: stage.gateway?.model ?? null }),
      samples,
    };
  } finally {
    clearInterval(timer);
    await session.close();
    await stage.close();
  }
}

/** A watch per lap, the one before for a while longer: what was said at the end of a lap is final in the next. */
class Watches {
  readonly #open = new Set<CaptionWatch>();

  begin(): CaptionWatch {
    const watch = new CaptionWatch();
    this.#open.add(watch);
    return watch;
  }

  observe(state: CaptionState, message: CaptionMessage): void {
    for (const watch of this.#open) watch.observe(state, message, performance.now());
  }

  /** Resolves when nothing more is expected of it. */
  async end(watch: CaptionWatch, signal: AbortSignal): Promise<void> {
    await lasting(GRACE_MS, signal);
    this.#open.delete(watch);
  }
}

interface Lap {
  readonly watch: CaptionWatch;
  /** Monotonic. */
  readonly startAtMs: number;
  /** Since the run began. */
  readonly atS: number;
  readonly lap: number;
}

function scoreLap(schedules: readonly SpeakerSchedule[], { watch, startAtMs, atS, lap }: Lap): Sample[] {
  return schedules.flatMap((schedule, index) => {
    const clips = scoreClips(schedule, { tracking: watch.resultOf(identityOf(index)), startAtMs });
    const samples = samplesOf({ clips }, index);
    return samples.map((sample) => ({
      ...sample,
      cluster: `lap ${lap + 1}/${sample.cluster}`,
      atS: atS + (sample.atS ?? 0),
      arm: `lap ${lap + 1}`,
    }));
  });
}

function resultOf(
  options: EnduranceOptions,
  run: {
    readonly samples: readonly Sample[];
    readonly failures: string[];
    readonly machine: Machine;
    readonly model: string | null;
  },
): EnduranceResult {
  const valuesOf = (metric: string): number[] =>
    run.samples.filter((sample) => sample.metric === metric).map(({ value }) => value);
  const words = run.samples.filter(({ metric }) => metric === 'wer');
  const laps = lapsOf(run.samples);
  const firstLapEndsS = laps[1]?.atS ?? 0;
  const memory = run.samples.flatMap(({ metric, value, atS = 0 }) =>
    metric === 'privateMb' && atS >= firstLapEndsS ? [{ at: atS, value }] : [],
  );
  const latencyDriftMs = driftOf(
    laps.slice(1).flatMap(({ atS, p50 }) => (p50 === null ? [] : [{ at: atS, value: p50 }])),
  );
  const memoryDriftMb = driftOf(memory);
  for (const [what, drift] of Object.entries({ 'word latency': latencyDriftMs, memory: memoryDriftMb })) {
    if (drift !== null && drift.growth > MAX_GROWTH && drift.perHourInterval[0] > 0)
      run.failures.push(`${what} grew by ${Math.round(drift.growth * 100)} % over the run`);
  }
  return {
    wordLatencyMs: roundedSummary(valuesOf('wordLatencyMs')),
    finalLatencyMs: roundedSummary(valuesOf('finalLatencyMs')),
    latencyDriftMs,
    memoryDriftMb,
    laps,
    wer: ratio(
      words.reduce((sum, { value }) => sum + value, 0),
      words.reduce((sum, { weight }) => sum + (weight ?? 0), 0),
    ),
    speakers: options.speakers,
    noisy: options.noisy ?? 0,
    seconds: options.seconds,
    model: run.model,
    failures: run.failures,
    machine: run.machine,
  };
}

function lapsOf(samples: readonly Sample[]): EnduranceResult['laps'] {
  const laps = new Map<string, { atS: number; values: number[] }>();
  for (const { metric, arm, value, atS = 0 } of samples) {
    if (metric !== 'wordLatencyMs' || arm === undefined) continue;
    const lap = laps.get(arm) ?? { atS, values: [] };
    laps.set(arm, lap);
    lap.atS = Math.min(lap.atS, atS);
    lap.values.push(value);
  }
  return [...laps.values()].map(({ atS, values }) => {
    const { p50, p95 } = roundedSummary(values);
    return { atS: Math.round(atS), p50, p95 };
  });
}

/** Of points whose `at` is in seconds. */
export function driftOf(points: readonly { readonly at: number; readonly value: number }[]): Drift | null {
  const trend = trendOf(points);
  if (trend === null) return null;
  const startS = Math.min(...points.map(({ at }) => at));
  const endS = Math.max(...points.map(({ at }) => at));
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / points.length;
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / points.length;
  const atStart = meanValue - trend.slope * (meanAt - startS);
  return {
    atStart: rounded(atStart),
    perHour: rounded(trend.slope * 3600),
    perHourInterval: [rounded(trend.interval[0] * 3600), rounded(trend.interval[1] * 3600)],
    growth: rounded((trend.slope * (endS - startS)) / atStart),
  };
}

function lapLine(samples: readonly Sample[]): string {
  const { p50, p95, count } = roundedSummary(
    samples.filter(({ metric }) => metric === 'wordLatencyMs').map(({ value }) => value),
  );
  return `${count} words, p50 ${String(p50)} ms, p95 ${String(p95)} ms`;
}

function lasting(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal.addEventListener('abort', done, { once: true });
  });
}

const rounded = (value: number): number => Number(value.toFixed(3));
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : rounded(part / whole));
