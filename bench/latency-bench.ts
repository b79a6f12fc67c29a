/**
 * `bench latency` and `bench livekit`: N people talk to the real gateway at the pace of speech; what a viewer has in its reducer
 * is held against what was said and when. Definitions: README of this folder.
 */
import { type Summary, summarise } from '../asr/index.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { type MeasuredUsage, runMeasured } from './measured-run.js';
import type { SpeakerRun } from './play-speakers.js';
import type { Sample } from './samples.js';
import type { Stage } from './stage.js';
import { talkingPerCore } from './talking-speakers.js';

/** Finals later than this mean that recognition does not keep up, and its other figures are not worth much. */
const FALLS_BEHIND_MS = 3000;
/** One person talks for so long before anything is measured. */
const WARM_UP_SECONDS = 10;

export interface LatencyOptions {
  readonly manifest: string;
  readonly speakers: number;
  /** Of meeting time; whole clips, at least one. */
  readonly seconds: number;
  /** Only clips whose words' ends were labelled by hand. Default false. */
  readonly handLabelled?: boolean;
  /** Default 10. */
  readonly warmUpSeconds?: number;
  /** CPU and memory are measured where the gateway is its own. */
  readonly openStage: () => Promise<Stage>;
  /** For remarks. */
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** What is measured of every system. */
export interface LatencyFigures extends UsageFigures {
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
  readonly firstPartialMs: Summary;
  /** Words shown in partials that later changed or vanished, per word of the finals. */
  readonly upwr: number | null;
  readonly wer: number | null;
}

export interface UsageFigures extends MeasuredUsage {
  /** `talkingSpeakers` / `cpuCores`. */
  readonly talkingPerCore: number | null;
}

export interface LatencyResult extends LatencyFigures {
  /** Of words whose ends were labelled by hand only. */
  readonly handLabelledWordLatencyMs: Summary;
  /** Connected: each talks, pauses and finishes. `talkingSpeakers`: how many of them talked on average. */
  readonly speakers: number;
  readonly seconds: number;
  readonly model: string | null;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

export async function runLatencyBench(
  options: LatencyOptions,
): Promise<{ result: LatencyResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest, { isHandLabelled: options.handLabelled ?? false });
  const stage = await options.openStage();
  try {
    const failures: string[] = [];
    const { speakers, ...usage } = await runMeasured({
      ...options,
      stage,
      clips,
      warmUpSeconds: options.warmUpSeconds ?? WARM_UP_SECONDS,
      rooms: 'bench',
      failed: (reason) => failures.push(reason),
    });
    const summary = summariseSpeakers(speakers);
    if ((summary.finalLatencyMs.p95 ?? 0) > FALLS_BEHIND_MS) {
      failures.push(`recognition does not keep up with ${options.speakers} speakers`);
    }
    const result: LatencyResult = {
      ...summary,
      ...roundedUsage(usage),
      speakers: options.speakers,
      seconds: options.seconds,
      model: stage.gateway?.model ?? null,
      failures,
      machine,
    };
    return { result, samples: speakers.flatMap(samplesOf) };
  } finally {
    await stage.close();
  }
}

/** The figures of what viewers saw of these speakers. */
export function summariseSpeakers(
  speakers: readonly SpeakerRun[],
): Pick<
  LatencyResult,
  'wordLatencyMs' | 'finalLatencyMs' | 'firstPartialMs' | 'handLabelledWordLatencyMs' | 'upwr' | 'wer'
> {
  const clips = speakers.flatMap((speaker) => speaker.clips);
  const byHand = clips.filter(({ clip }) => clip.clip.isHandLabelled);
  const shownWords = sum(speakers, ({ tracking }) => tracking.words.length);
  const spokenWords = sum(clips, ({ words }) => words?.spoken ?? 0);
  return {
    wordLatencyMs: roundedSummary(clips.flatMap(({ wordLatenciesMs }) => wordLatenciesMs)),
    finalLatencyMs: roundedSummary(clips.flatMap(({ finalLatenciesMs }) => finalLatenciesMs)),
    firstPartialMs: roundedSummary(clips.flatMap(({ firstPartialsMs }) => firstPartialsMs)),
    handLabelledWordLatencyMs: roundedSummary(byHand.flatMap(({ wordLatenciesMs }) => wordLatenciesMs)),
    upwr: ratio(
      sum(speakers, ({ tracking }) => tracking.changedWords),
      shownWords,
    ),
    wer: ratio(
      sum(clips, ({ words }) => words?.errors ?? 0),
      spokenWords,
    ),
  };
}

/** To a thousandth of a core, and to what memory is measured well enough for. */
export const roundedUsage = ({
  talkingSpeakers,
  cpuCores,
  rssMb,
  rssPerStreamMb,
  othersCores,
}: MeasuredUsage): UsageFigures => ({
  talkingSpeakers: rounded(talkingSpeakers, 1),
  talkingPerCore: rounded(talkingPerCore(talkingSpeakers, cpuCores), 1),
  othersCores: rounded(othersCores, 2),
  cpuCores: rounded(cpuCores, 3),
  rssMb: rounded(rssMb, 1),
  rssPerStreamMb: rounded(rssPerStreamMb, 2),
});

/** What each clip as one speaker said it gave. */
export function samplesOf({ clips }: Pick<SpeakerRun, 'clips'>, index: number): Sample[] {
  return clips.flatMap(({ clip, words, ...latencies }) => {
    const cluster = `${index + 1}/${clip.clip.id}/${clip.startMs}`;
    const atS = clip.startMs / 1000;
    const sampled = (metric: string, latenciesMs: readonly number[]): Sample[] =>
      latenciesMs.map((value) => ({ metric, value, cluster, atS }));
    return [
      ...sampled('wordLatencyMs', latencies.wordLatenciesMs),
      ...sampled('finalLatencyMs', latencies.finalLatenciesMs),
      ...sampled('firstPartialMs', latencies.firstPartialsMs),
      ...(words === null ? [] : [{ metric: 'wer', value: words.errors, weight: words.spoken, cluster, atS }]),
    ];
  });
}

const sum = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((total, item) => total + value(item), 0);
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : rounded(part / whole, 4));

/** Percentiles to whole milliseconds. */
export function roundedSummary(values: readonly number[]): Summary {
  const { p50, p90, p95, p99, count } = summarise(values);
  return { p50: rounded(p50, 0), p90: rounded(p90, 0), p95: rounded(p95, 0), p99: rounded(p99, 0), count };
}

function rounded(value: number, digits: number): number;
function rounded(value: number | null | undefined, digits: number): number | null;
function rounded(value: number | null | undefined, digits: number): number | null {
  return value === null || value === undefined ? null : Number(value.toFixed(digits));
}
