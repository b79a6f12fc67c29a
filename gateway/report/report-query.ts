/** What a report is asked for: by the address of `/v1/report`, or by the options of `caption-gateway report`. */
import { CaptionError } from '../../protocol/index.js';
import { REPORT_DAYS } from './report-files.js';

export const REPORT_FORMATS = ['html', 'json', 'csv'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface ReportBudget {
  /** Of word latency. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Of the time to the final. */
  readonly finalP95Ms: number;
}

export interface ReportQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** A room's name, or what reports call it in its place. */
  readonly room: string | undefined;
  /** Whether rooms are called by their names. */
  readonly showsNames: boolean;
  readonly budget: Partial<ReportBudget>;
  readonly format: ReportFormat;
}

/** As text, from wherever. */
export interface RawReportQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly last?: string | undefined;
  readonly room?: string | undefined;
  readonly names?: string | undefined;
  readonly budget?: string | undefined;
  readonly format?: string | undefined;
}

export const QUERY_NAMES = ['from', 'to', 'last', 'room', 'names', 'budget', 'format'] as const;

const DEFAULT_LAST = '1h';
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_BUDGET_MS = 60_000;

/** Throws CaptionError `query_invalid`. */
export function parseReportQuery(raw: RawReportQuery, nowMs: number): ReportQuery {
  const toMs = momentOf('to', raw.to) ?? nowMs;
  const fromMs = momentOf('from', raw.from) ?? toMs - spanOf(raw.last ?? DEFAULT_LAST);
  if (raw.from !== undefined && raw.last !== undefined) throw invalid('Give either from or last, not both.');
  if (fromMs >= toMs) throw invalid('The window ends before it begins.');
  const format = REPORT_FORMATS.find((known) => known === (raw.format ?? 'html'));
  if (format === undefined) throw invalid(`format must be one of ${REPORT_FORMATS.join(', ')}.`);
  return {
    fromMs,
    toMs,
    room: raw.room === '' ? undefined : raw.room,
    showsNames: flagOf('names', raw.names),
    budget: budgetOf(raw.budget),
    format,
  };
}

/** A moment of ISO 8601; a day alone is its beginning, UTC. */
function momentOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) throw invalid(`${name} must be a moment such as 2026-11-25T14:00:00Z.`);
  return ms;
}

function spanOf(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS_MS[unit] ?? 0);
  if (ms > 0 && ms <= REPORT_DAYS * 86_400_000) return ms;
  throw invalid(`last must be a time such as 30m, 24h or 7d, at most ${REPORT_DAYS}d.`);
}

function flagOf(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '0' || text === 'false') return false;
  if (text === '' || text === '1' || text === 'true') return true;
  throw invalid(`${name} must be 1 or 0.`);
}

/** `650`: p95 of words; `450,650`: p50 and p95; `450,650,1000`: p95 of finals as well. */
function budgetOf(text: string | undefined): Partial<ReportBudget> {
  if (text === undefined) return {};
  const values = text.split(',').map(Number);
  const areValid = values.every((value) => Number.isFinite(value) && value > 0 && value <= MAX_BUDGET_MS);
  if (!areValid || values.length > 3)
    throw invalid('budget must be milliseconds: P95, or P50,P95, or P50,P95,FINAL_P95.');
  const [first = 0, second, third] = values;
  if (second === undefined) return { p95Ms: first };
  return { p50Ms: first, p95Ms: second, ...(third === undefined ? {} : { finalP95Ms: third }) };
}

const invalid = (message: string): CaptionError => new CaptionError('query_invalid', message);
