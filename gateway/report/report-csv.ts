import { STAGES } from '../latency/word-latency.js';
import type { ReportData } from './report-data.js';

/** The time line, a row for each step; times in UTC, latencies in milliseconds, empty where there is nothing. */
export function reportCsv({ timeLine }: ReportData): string {
  const columns = [
    'time',
    'words',
    'word_mean_ms',
    'word_p50_ms',
    'word_p90_ms',
    'word_p95_ms',
    'word_p99_ms',
    'word_max_ms',
    'final_p95_ms',
    ...STAGES.map((stage) => `${stage}_mean_ms`),
    'revised_words',
    'gaps',
    'gap_ms',
    'restarts',
    'longest_backlog_ms',
    'busy_ratio',
    'speakers',
    'minutes_running',
  ];
  const rows = timeLine.map((step) => {
    const { words, meanStagesMs } = step;
    return [
      new Date(step.atMs).toISOString(),
      words.count,
      words.meanMs,
      words.p50Ms,
      words.p90Ms,
      words.p95Ms,
      words.p99Ms,
      words.maxMs,
      step.finalsP95Ms,
      ...STAGES.map((stage) => meanStagesMs?.[stage] ?? null),
      step.revised,
      step.gaps,
      step.gapMs,
      step.restarts,
      Math.round(step.longestBacklogMs),
      Number(step.busyShare.toFixed(3)),
      step.speakers,
      step.minutesRunning,
    ];
  });
  return [columns, ...rows].map((row) => `${row.map((cell) => cell ?? '').join(',')}\r\n`).join('');
}
