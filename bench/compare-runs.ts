/**
 * Whether two kept runs differ: for each figure of both, the difference and a bootstrap interval of it (Efron 1979). Whole
 * clusters are drawn, because the words of one clip are late together; where both runs have the same clusters, the same are
 * drawn from both (paired). The interval tells how far other clips would have moved the figure; what a busy machine did to one of the
 * runs it cannot tell: arms that are to be compared belong in one run, in turns.
 */
import { percentile, summarise } from '../asr/index.js';
import { isDisturbed } from './foreign-load.js';
import { isBusy } from './machine.js';
import { isObject, type KeptRun, type Sample } from './samples.js';

const RESAMPLES = 1000;
/** Of the interval's two ends. */
const LOWER_PERCENT = 2.5;
const UPPER_PERCENT = 97.5;
const SEED = 20_140_131;

export interface FigureComparison {
  /** `wordLatencyMs p95`, `wer`, … */
  readonly figure: string;
  readonly a: number;
  readonly b: number;
  /** b - a. */
  readonly difference: number;
  /** 95 %. */
  readonly interval: readonly [number, number];
  /** The interval leaves out 0. */
  readonly differs: boolean;
  readonly isPaired: boolean;
  /** In both runs, as far as they tell; else a difference may be what other programs did. */
  readonly isMachineQuiet: boolean;
}

/** Figures that only one of the runs has are left out. The same runs give the same intervals. */
export function compareRuns(a: KeptRun, b: KeptRun): FigureComparison[] {
  const metricsOf = ({ samples }: KeptRun): Set<string> => new Set(samples.map(nameOf));
  const inB = metricsOf(b);
  const isMachineQuiet = [a, b].every(wasQuiet);
  return [...metricsOf(a)]
    .filter((metric) => inB.has(metric))
    .flatMap((metric) => compareMetric(metric, clustersOf(a, metric), clustersOf(b, metric)))
    .map((comparison) => ({ ...comparison, isMachineQuiet }));
}

/** By the load before it, and by what others took of the processors meanwhile. */
function wasQuiet({ result }: KeptRun): boolean {
  if (!isObject(result)) return true;
  const { machine, othersCores } = result;
  if (typeof othersCores === 'number') return !isDisturbed(othersCores);
  if (!isObject(machine)) return true;
  const { load1, cores } = machine;
  return typeof load1 !== 'number' || typeof cores !== 'number' || !isBusy({ load1, cores });
}

type Clusters = ReadonlyMap<string, readonly Sample[]>;

const nameOf = ({ arm, metric }: Sample): string => (arm === undefined ? metric : `${arm}: ${metric}`);

function clustersOf({ samples }: KeptRun, metric: string): Clusters {
  const clusters = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (nameOf(sample) !== metric) continue;
    const cluster = clusters.get(sample.cluster) ?? [];
    clusters.set(sample.cluster, cluster);
    cluster.push(sample);
  }
  return clusters;
}

/** The figures of a metric: its share where samples have weights, else two percentiles. */
const namesOf = (clusters: Clusters): readonly string[] => (isShare(clusters) ? [''] : [' p50', ' p95']);

const isShare = (clusters: Clusters): boolean =>
  [...clusters.values()].some((samples) => samples.some(({ weight }) => weight !== undefined));

/** In the order of `namesOf`; undefined where there is nothing to measure. */
function figuresOf(samples: readonly Sample[], wantsShare: boolean): number[] | undefined {
  if (wantsShare) {
    const weights = samples.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
    return weights === 0 ? undefined : [samples.reduce((sum, { value }) => sum + value, 0) / weights];
  }
  const { p50, p95 } = summarise(samples.map(({ value }) => value));
  return p50 === null || p95 === null ? undefined : [p50, p95];
}

function compareMetric(metric: string, a: Clusters, b: Clusters): Omit<FigureComparison, 'isMachineQuiet'>[] {
  const isPaired = a.size === b.size && [...a.keys()].every((cluster) => b.has(cluster));
  const wantsShare = isShare(a);
  const ofA = figuresOf([...a.values()].flat(), wantsShare);
  const ofB = figuresOf([...b.values()].flat(), wantsShare);
  if (ofA === undefined || ofB === undefined) return [];
  const random = mulberry32(SEED);
  const differences: number[][] = ofA.map(() => []);
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    const drawnA = draw([...a.keys()], random);
    const drawnB = isPaired ? drawnA : draw([...b.keys()], random);
    const inA = figuresOf(samplesOf(a, drawnA), wantsShare);
    const inB = figuresOf(samplesOf(b, drawnB), wantsShare);
    if (inA === undefined || inB === undefined) continue;
    for (const [index, of] of differences.entries()) of.push((inB[index] ?? 0) - (inA[index] ?? 0));
  }
  return namesOf(a).map((name, index) => {
    const [inA, inB] = [ofA[index] ?? 0, ofB[index] ?? 0];
    const interval = [
      percentile(differences[index] ?? [], LOWER_PERCENT) ?? 0,
      percentile(differences[index] ?? [], UPPER_PERCENT) ?? 0,
    ] as const;
    const differs = interval[0] > 0 || interval[1] < 0;
    return { figure: `${metric}${name}`, a: inA, b: inB, difference: inB - inA, interval, differs, isPaired };
  });
}

const draw = (keys: readonly string[], random: () => number): string[] =>
  keys.map(() => keys[Math.floor(random() * keys.length)] ?? '');

const samplesOf = (clusters: Clusters, drawn: readonly string[]): Sample[] =>
  drawn.flatMap((cluster) => clusters.get(cluster) ?? []);

/** A small generator of uniform numbers from 0 to 1, the same for the same seed (Tommy Ettinger, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
