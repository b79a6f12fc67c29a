import { type Stage, STAGES } from '../latency/word-latency.js';
import type { Finding, ReportStep } from './report-data.js';
import type { ReportBudget } from './report-query.js';

/** More than this nobody reads. */
const MAX_FINDINGS = 12;
/** A single slow word is no event. */
const MIN_WORDS = 5;
/** So many times as late as usual. */
const STANDS_OUT = 1.4;

interface Context {
  readonly budget: ReportBudget;
  readonly ofcomMs: number;
  readonly stepMs: number;
  readonly nowMs: number;
}

/** What stands out in a time line: when it was late and in which stage, gaps, restarts, and when no gateway ran. */
export function findingsOf(steps: readonly ReportStep[], context: Context): Finding[] {
  const { stepMs, nowMs, budget, ofcomMs } = context;
  const spoken = steps.filter(({ words }) => words.count >= MIN_WORDS);
  const usualOf = (percentile: 'p95Ms' | 'p99Ms'): number =>
    medianOf(spoken.map(({ words }) => words[percentile] ?? 0)) ?? 0;
  const usual95Ms = usualOf('p95Ms');
  const usual99Ms = usualOf('p99Ms');
  const isOver = (step: ReportStep): boolean =>
    step.words.count >= MIN_WORDS && (step.words.p95Ms ?? 0) > budget.p95Ms;
  // Where all is over budget a stall must stand out all the same. A stall of three seconds is less than a twentieth of a minute: it
  // is seen by the slowest hundredth only.
  const isLate = (step: ReportStep): boolean =>
    (isOver(step) && (step.words.p95Ms ?? 0) > STANDS_OUT * usual95Ms) ||
    (step.words.count >= MIN_WORDS &&
      (step.words.p99Ms ?? 0) > Math.max(ofcomMs, budget.p95Ms, STANDS_OUT * usual99Ms));
  const usual = spoken.filter((step) => !isLate(step));
  const slow = usual.filter(isOver);
  const span = (run: readonly ReportStep[]): { fromMs: number; toMs: number } => ({
    fromMs: run[0]?.atMs ?? 0,
    toMs: (run.at(-1)?.atMs ?? 0) + stepMs,
  });
  const firstAtMs = steps.find(({ minutesRunning }) => minutesRunning > 0)?.atMs ?? Infinity;
  // Before the first minute there is none to miss, and the present one is not over.
  const isAway = ({ minutesRunning, atMs }: ReportStep): boolean =>
    minutesRunning === 0 && atMs > firstAtMs && atMs + 2 * stepMs <= nowMs;
  const findings: Finding[] = [
    ...runsOf(steps, isLate).map((run): Finding => ({ kind: 'late', ...span(run), ...lateness(run, usual) })),
    ...(slow.length === 0 ? [] : [{ ...span(slow), ...slowness(slow, spoken) }]),
    ...runsOf(steps, ({ gaps }) => gaps > 0).map((run): Finding => ({
      kind: 'gaps',
      ...span(run),
      count: sumOf(run, ({ gaps }) => gaps),
      durationMs: sumOf(run, ({ gapMs }) => gapMs),
    })),
    ...runsOf(steps, ({ restarts }) => restarts > 0).map((run): Finding => ({
      kind: 'restarts',
      ...span(run),
      count: sumOf(run, ({ restarts }) => restarts),
    })),
    ...runsOf(steps, isAway).map((run): Finding => ({ kind: 'away', ...span(run) })),
  ];
  return findings.sort((a, b) => weightOf(b) - weightOf(a)).slice(0, MAX_FINDINGS);
}

type Late = Extract<Finding, { kind: 'late' }>;
type Over = Extract<Finding, { kind: 'over' }>;

function lateness(
  run: readonly ReportStep[],
  usual: readonly ReportStep[],
): Omit<Late, 'kind' | 'fromMs' | 'toMs'> {
  const usualMs = (stage: Stage): number | null =>
    medianOf(usual.map((step) => step.meanStagesMs?.[stage] ?? 0));
  const excessMs = (stage: Stage): number => meanOf(run, stage) - (usualMs(stage) ?? 0);
  const stage = highest(excessMs);
  return {
    words: sumOf(run, ({ words }) => words.count),
    p95Ms: Math.max(...run.map(({ words }) => words.p95Ms ?? 0)),
    maxMs: Math.max(...run.map(({ words }) => words.maxMs ?? 0)),
    stage,
    stageMeanMs: meanOf(run, stage),
    usualStageMeanMs: usualMs(stage),
  };
}

function slowness(slow: readonly ReportStep[], spoken: readonly ReportStep[]): Omit<Over, 'fromMs' | 'toMs'> {
  const stage = highest((candidate) => meanOf(slow, candidate));
  return {
    kind: 'over',
    steps: slow.length,
    ofSteps: spoken.length,
    p95Ms: medianOf(slow.map(({ words }) => words.p95Ms ?? 0)) ?? 0,
    stage,
    stageMeanMs: meanOf(slow, stage),
  };
}

/** Of a word of these steps. */
const meanOf = (run: readonly ReportStep[], stage: Stage): number =>
  sumOf(run, ({ words, meanStagesMs }) => (meanStagesMs?.[stage] ?? 0) * words.count) /
  sumOf(run, ({ words }) => words.count);

const highest = (value: (stage: Stage) => number): Stage =>
  STAGES.reduce((worst, candidate) => (value(candidate) > value(worst) ? candidate : worst));

const sumOf = (run: readonly ReportStep[], value: (step: ReportStep) => number): number =>
  run.reduce((total, step) => total + value(step), 0);

function runsOf(steps: readonly ReportStep[], isPart: (step: ReportStep) => boolean): ReportStep[][] {
  const runs: ReportStep[][] = [];
  let wasPart = false;
  for (const step of steps) {
    const is = isPart(step);
    if (is && wasPart) runs.at(-1)?.push(step);
    else if (is) runs.push([step]);
    wasPart = is;
  }
  return runs;
}

/** Of two in the middle the lower: what is usual where one of two steps is late is the other. */
function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** How much it hurt, roughly in seconds of bad captions. */
function weightOf(finding: Finding): number {
  const lastedS = (finding.toMs - finding.fromMs) / 1000;
  switch (finding.kind) {
    case 'away':
      return 10 * lastedS;
    case 'gaps':
      return 10 * (finding.durationMs / 1000);
    case 'late':
      return (finding.words * finding.p95Ms) / 3000;
    case 'over':
      return finding.steps;
    case 'restarts':
      return finding.count;
  }
}
