import { formatColumns } from '../text-columns.js';
import { Clock, duration, percent, plural } from './html/wording.js';
import type { Finding, LatencySummary, ReportData } from './report-data.js';

/** A report for a terminal. */
export function reportSummary(data: ReportData): string {
  const clock = new Clock(data.timeZone);
  const { window, room, words, finals, firstPartials, stages, gaps, budget } = data;
  const scope =
    window === null
      ? 'samples of a benchmark'
      : `${clock.span(window.fromMs, window.toMs)} (${data.timeZone}), ${room ?? plural(data.roomCount, 'room')}`;
  const row = (name: string, { p50Ms, p90Ms, p95Ms, p99Ms, maxMs, count }: LatencySummary): string[] => [
    name,
    ...[p50Ms, p90Ms, p95Ms, p99Ms, maxMs].map(duration),
    String(count),
  ];
  const times = formatColumns([
    ['', 'p50', 'p90', 'p95', 'p99', 'latest', 'count'],
    row('word', words),
    row('final', finals),
    row('first text', firstPartials),
  ]);
  const stageRows = formatColumns([
    ['stage', 'mean', 'share', 'p50', 'p95', 'p99'],
    ...stages.map(({ stage, meanMs, share, p50Ms, p95Ms, p99Ms }) => [
      stage,
      duration(meanMs),
      percent(share),
      ...[p50Ms, p95Ms, p99Ms].map(duration),
    ]),
  ]);
  const isWithin = words.p95Ms !== null && words.p95Ms <= budget.p95Ms;
  const lines = [
    scope,
    times,
    ...(stages.length === 0 ? [] : ['', stageRows]),
    '',
    words.p95Ms === null
      ? 'nobody was captioned'
      : `${isWithin ? 'within' : 'OVER'} the budget of ${duration(budget.p95Ms)} (p95); ${percent(words.withinOfcom)} within Ofcom’s 3 s`,
    `words changed after they were shown ${percent(data.revisionRate)}; ${gaps.length === 0 ? 'no gaps' : gaps.map(({ reason, count, durationMs }) => `${plural(count, 'gap')} (${reason}, ${duration(durationMs)})`).join(', ')}`,
    ...data.findings.map((finding) => describe(finding, clock)),
  ];
  return `${lines.join('\n')}\n`;
}

function describe(finding: Finding, clock: Clock): string {
  const when = `${clock.time(finding.fromMs)} – ${clock.time(finding.toMs)}`;
  switch (finding.kind) {
    case 'late':
      return `${when}: late, p95 ${duration(finding.p95Ms)}, latest ${duration(finding.maxMs)}, in ${finding.stage} (${duration(finding.stageMeanMs)}, otherwise ${duration(finding.usualStageMeanMs)})`;
    case 'over':
      return `${when}: ${finding.steps} of ${finding.ofSteps} steps over budget, p95 mostly ${duration(finding.p95Ms)}`;
    case 'gaps':
      return `${when}: ${plural(finding.count, 'gap')}, ${duration(finding.durationMs)}`;
    case 'restarts':
      return `${when}: ${plural(finding.count, 'restart')} of recogniser processes`;
    case 'away':
      return `${when}: no gateway ran`;
  }
}
