/** What a report says, for every format: `--json` and `format=json` print exactly this. Times are Unix milliseconds. */
import type { Stage } from '../latency/word-latency.js';
import type { GatewayFacts } from './report-line.js';
import type { ReportBudget } from './report-query.js';

export const REPORT_VERSION = 1;

/** In milliseconds; null without values. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

export type StageMeans = Readonly<Record<Stage, number>>;

export interface StageSummary extends LatencySummary {
  readonly stage: Stage;
  /** Of the mean word latency, 0 to 1. */
  readonly share: number;
}

/** The slowest words of the window: at least a twentieth of them. */
export interface SlowWords {
  readonly count: number;
  /** 0 to 1. */
  readonly share: number;
  /** They took at least so long. */
  readonly fromMs: number;
  readonly meanStagesMs: StageMeans;
}

/** One step of the time line. */
export interface ReportStep {
  readonly atMs: number;
  readonly words: LatencySummary;
  readonly meanStagesMs: StageMeans | null;
  readonly finalsP95Ms: number | null;
  readonly revised: number;
  readonly gaps: number;
  readonly gapMs: number;
  readonly restarts: number;
  readonly longestBacklogMs: number;
  readonly busyShare: number;
  readonly speakers: number;
  /** Minutes in which a gateway ran, of those that the step has. */
  readonly minutesRunning: number;
  readonly minutes: number;
}

export interface ReportGap {
  readonly reason: string;
  readonly count: number;
  readonly durationMs: number;
}

/** Something that somebody should know, worst first. */
export type Finding =
  | {
      readonly kind: 'late';
      readonly fromMs: number;
      readonly toMs: number;
      readonly words: number;
      /** The highest of the steps. */
      readonly p95Ms: number;
      /** The latest word. */
      readonly maxMs: number;
      /** Where the time went, there and in the steps that do not stand out (null where none is). */
      readonly stage: Stage;
      readonly stageMeanMs: number;
      readonly usualStageMeanMs: number | null;
    }
  /** Steps over budget without standing out: it is simply slow. */
  | {
      readonly kind: 'over';
      readonly fromMs: number;
      readonly toMs: number;
      readonly steps: number;
      /** Steps in which somebody spoke. */
      readonly ofSteps: number;
      /** The median of the steps. */
      readonly p95Ms: number;
      readonly stage: Stage;
      readonly stageMeanMs: number;
    }
  | {
      readonly kind: 'gaps';
      readonly fromMs: number;
      readonly toMs: number;
      readonly count: number;
      readonly durationMs: number;
    }
  | { readonly kind: 'restarts'; readonly fromMs: number; readonly toMs: number; readonly count: number }
  | { readonly kind: 'away'; readonly fromMs: number; readonly toMs: number };

export interface ReportRoom {
  /** Its name where names were asked for, else what stands for it. */
  readonly room: string;
  readonly words: LatencySummary;
  /** Words later than the budget's p95, 0 to 1. */
  readonly lateShare: number;
  readonly slowestStage: Stage | null;
  readonly gaps: number;
  readonly gapMs: number;
  readonly revised: number;
}

export interface ReportData {
  readonly version: typeof REPORT_VERSION;
  readonly generatedAtMs: number;
  readonly source: 'gateway' | 'samples';
  /** Null where samples do not tell when they were taken. */
  readonly window: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number } | null;
  readonly timeZone: string;
  /** Null for all rooms. */
  readonly room: string | null;
  readonly gateways: readonly GatewayFacts[];
  readonly budget: ReportBudget;
  readonly budgetSource: 'design' | 'chosen';
  /** Ofcom's guideline for live captions. */
  readonly ofcomMs: number;
  readonly words: LatencySummary & {
    readonly acknowledged: number;
    /** Share of the words within the budget's p95, and within Ofcom's guideline; null without words. */
    readonly withinBudget: number | null;
    readonly withinOfcom: number | null;
  };
  /** Classes for a plot, ascending. */
  readonly distribution: readonly {
    readonly fromMs: number;
    readonly toMs: number;
    readonly count: number;
  }[];
  readonly stages: readonly StageSummary[];
  readonly slowest: SlowWords | null;
  readonly finals: LatencySummary;
  readonly firstPartials: LatencySummary;
  readonly revised: number;
  /** Per word of the finals; null without words. */
  readonly revisionRate: number | null;
  readonly gaps: readonly ReportGap[];
  readonly restarts: number;
  readonly timeLine: readonly ReportStep[];
  readonly findings: readonly Finding[];
  /** Those with the most late words first; at most twenty. */
  readonly rooms: readonly ReportRoom[];
  readonly roomCount: number;
  /** Lines that could not be read. */
  readonly unreadableLines: number;
}
