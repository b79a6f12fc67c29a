import { STAGES } from '../latency/word-latency.js';
import { findingsOf } from './findings.js';
import type { LatencyDigest } from './latency-digest.js';
import { everyStage, type LatencyTotals } from './latency-totals.js';
import { MINUTE_MS } from './report-line.js';
import {
  type LatencySummary,
  REPORT_VERSION,
  type ReportData,
  type ReportRoom,
  type ReportStep,
  type SlowWords,
  type StageSummary,
} from './report-data.js';
import type { ReportBudget } from './report-query.js';
import { roomLabel } from '../rooms/room-label.js';
import type { ReportWindow, WindowStep } from './report-window.js';

/** https://www.ofcom.org.uk: the guideline for the delay of live subtitles; shared with metrics everywhere. */
const OFCOM_MS = 3000;
const MAX_ROOMS = 20;
/** Classes of the plot to each doubling of the latency. */
const PLOT_CLASSES = 8;
/** The slowest words are at least this share. */
const SLOW_SHARE = 0.05;

/** The design's, for one person who talks, by engine. */
const DESIGN_BUDGETS = {
  sherpa: { p50Ms: 450, p95Ms: 650, finalP95Ms: 1000 },
  zipformer: { p50Ms: 260, p95Ms: 400, finalP95Ms: 900 },
} as const satisfies Record<string, ReportBudget>;

/** Where it depends on the model which engine runs, the one that is promised less. */
const designBudget = (engine: string | undefined): ReportBudget =>
  engine === 'zipformer' ? DESIGN_BUDGETS.zipformer : DESIGN_BUDGETS.sherpa;

export interface BuildOptions {
  readonly budget: Partial<ReportBudget>;
  readonly room: string | undefined;
  readonly showsNames: boolean;
  readonly nowMs: number;
  readonly timeZone: string;
}

/** What lines of a gateway say. */
export function buildReport(window: ReportWindow, options: BuildOptions): ReportData {
  const { gateways, totals } = window;
  const timeLine = window.steps.map((step) => stepOf(step, window));
  const budget = { ...designBudget(gateways[0]?.engine), ...options.budget };
  const nameOf = (room: string): string => (options.showsNames ? room : roomLabel(room));
  const [only] = window.rooms.keys();
  const { room } = options;
  const rooms = [...window.rooms].map(([name, own]) => roomOf(nameOf(name), own, budget));
  return {
    ...describeTotals(totals, { ...options, budget }),
    generatedAtMs: options.nowMs,
    source: 'gateway',
    window: { fromMs: window.fromMs, toMs: window.toMs, stepMs: window.stepMs },
    room:
      room === undefined
        ? null
        : only === undefined
          ? options.showsNames
            ? room
            : roomLabelOf(room)
          : nameOf(only),
    gateways,
    restarts: timeLine.reduce((sum, { restarts }) => sum + restarts, 0),
    timeLine,
    findings: findingsOf(timeLine, {
      budget,
      ofcomMs: OFCOM_MS,
      stepMs: window.stepMs,
      nowMs: options.nowMs,
    }),
    rooms: rooms
      .sort(
        (a, b) =>
          b.lateShare * b.words.count - a.lateShare * a.words.count ||
          (b.words.p95Ms ?? 0) - (a.words.p95Ms ?? 0),
      )
      .slice(0, MAX_ROOMS),
    roomCount: rooms.length,
    unreadableLines: window.unreadableLines,
  };
}

/** A label stays what it is. */
const roomLabelOf = (room: string): string => (/^room-[0-9a-f]{8}$/.test(room) ? room : roomLabel(room));

/** What samples of a benchmark say, which know neither rooms nor minutes. */
export function buildSamplesReport(
  totals: LatencyTotals,
  options: Omit<BuildOptions, 'room' | 'showsNames'>,
): ReportData {
  return {
    ...describeTotals(totals, { ...options, budget: { ...designBudget(undefined), ...options.budget } }),
    generatedAtMs: options.nowMs,
    source: 'samples',
    window: null,
    room: null,
    gateways: [],
    restarts: 0,
    timeLine: [],
    findings: [],
    rooms: [],
    roomCount: 0,
    unreadableLines: 0,
  };
}

function describeTotals(
  totals: LatencyTotals,
  { budget, timeZone }: { budget: ReportBudget; timeZone: string },
): Omit<
  ReportData,
  | 'generatedAtMs'
  | 'source'
  | 'window'
  | 'room'
  | 'gateways'
  | 'restarts'
  | 'timeLine'
  | 'findings'
  | 'rooms'
  | 'roomCount'
  | 'unreadableLines'
> {
  const { words } = totals;
  const isDesign = Object.values(DESIGN_BUDGETS).some(
    (design) =>
      design.p50Ms === budget.p50Ms &&
      design.p95Ms === budget.p95Ms &&
      design.finalP95Ms === budget.finalP95Ms,
  );
  return {
    version: REPORT_VERSION,
    timeZone,
    budget,
    budgetSource: isDesign ? 'design' : 'chosen',
    ofcomMs: OFCOM_MS,
    words: {
      ...summaryOf(words),
      acknowledged: totals.acknowledged,
      withinBudget: words.shareWithin(budget.p95Ms),
      withinOfcom: words.shareWithin(OFCOM_MS),
    },
    distribution: distributionOf(words),
    stages: stagesOf(totals),
    slowest: slowestOf(totals),
    finals: summaryOf(totals.finals),
    firstPartials: summaryOf(totals.firstPartials),
    revised: totals.revised,
    revisionRate: words.count === 0 ? null : totals.revised / words.count,
    gaps: [...totals.gaps]
      .map(([reason, { count, durationMs }]) => ({ reason, count, durationMs }))
      .sort((a, b) => b.durationMs - a.durationMs),
  };
}

export function summaryOf(digest: LatencyDigest): LatencySummary {
  const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms * 10) / 10);
  const percentile = (p: number): number | null => rounded(digest.percentile(p));
  return {
    count: digest.count,
    meanMs: rounded(digest.meanMs),
    p50Ms: percentile(50),
    p90Ms: percentile(90),
    p95Ms: percentile(95),
    p99Ms: percentile(99),
    maxMs: rounded(digest.maxMs),
  };
}

function stagesOf(totals: LatencyTotals): StageSummary[] {
  const means = totals.meanStagesMs();
  const meanMs = totals.words.meanMs ?? 0;
  if (means === null || STAGES.every((stage) => means[stage] === 0)) return [];
  return STAGES.map((stage) => ({
    stage,
    ...summaryOf(totals.stages[stage]),
    // Over all words, so that stages add up; `delivery` is known of some only.
    meanMs: Math.round(means[stage] * 10) / 10,
    share: meanMs === 0 ? 0 : means[stage] / meanMs,
  }));
}

function slowestOf(totals: LatencyTotals): SlowWords | null {
  const { classes } = totals;
  const all = totals.words.count;
  let count = 0;
  const slow = classes.filter(({ words }) => {
    const isWanted = count < all * SLOW_SHARE;
    if (isWanted) count += words;
    return isWanted;
  });
  const meanStagesMs = totals.meanStagesMs(slow);
  // Where all words are about the same there are no slow ones.
  if (meanStagesMs === null || slow.length === classes.length) return null;
  if (STAGES.every((stage) => meanStagesMs[stage] === 0)) return null;
  return { count, share: count / all, fromMs: Math.round(slow.at(-1)?.fromMs ?? 0), meanStagesMs };
}

/** Logarithmic classes, from the first to the last that has words. */
function distributionOf(digest: LatencyDigest): { fromMs: number; toMs: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { fromMs, toMs, count } of digest.buckets()) {
    const index = Math.floor(PLOT_CLASSES * Math.log2(Math.max(1, (fromMs + toMs) / 2)));
    counts.set(index, (counts.get(index) ?? 0) + count);
  }
  const indexes = [...counts.keys()];
  if (indexes.length === 0) return [];
  const first = Math.min(...indexes);
  const edge = (index: number): number => 2 ** (index / PLOT_CLASSES);
  return Array.from({ length: Math.max(...indexes) - first + 1 }, (_, offset) => ({
    fromMs: edge(first + offset),
    toMs: edge(first + offset + 1),
    count: counts.get(first + offset) ?? 0,
  }));
}

function stepOf(step: WindowStep, window: ReportWindow): ReportStep {
  const { atMs, totals, minutes, runningMinutes } = step;
  const gaps = [...totals.gaps.values()];
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const highest = (values: readonly number[]): number => Math.max(0, ...values);
  return {
    atMs,
    words: summaryOf(totals.words),
    meanStagesMs: roundedStages(totals),
    finalsP95Ms: summaryOf(totals.finals).p95Ms,
    revised: totals.revised,
    gaps: sum(gaps.map(({ count }) => count)),
    gapMs: sum(gaps.map(({ durationMs }) => durationMs)),
    restarts: sum(minutes.map(({ restarts }) => restarts)),
    longestBacklogMs: highest(minutes.map(({ longestBacklogMs }) => longestBacklogMs)),
    busyShare: highest(minutes.map(({ busyShare }) => busyShare)),
    speakers: highest(minutes.map(({ speakers }) => speakers)),
    minutesRunning: runningMinutes.size,
    minutes: Math.min(window.stepMs, window.toMs - atMs) / MINUTE_MS,
  };
}

function roundedStages(totals: LatencyTotals): ReportStep['meanStagesMs'] {
  const means = totals.meanStagesMs();
  return means === null ? null : everyStage((stage) => Math.round(means[stage] * 10) / 10);
}

function roomOf(room: string, totals: LatencyTotals, budget: ReportBudget): ReportRoom {
  const gaps = [...totals.gaps.values()];
  const means = totals.meanStagesMs();
  const slowestStage =
    means === null
      ? null
      : STAGES.reduce((slowest, stage) => (means[stage] > means[slowest] ? stage : slowest));
  return {
    room,
    words: summaryOf(totals.words),
    lateShare: 1 - (totals.words.shareWithin(budget.p95Ms) ?? 1),
    slowestStage,
    gaps: gaps.reduce((sum, { count }) => sum + count, 0),
    gapMs: gaps.reduce((sum, { durationMs }) => sum + durationMs, 0),
    revised: totals.revised,
  };
}
