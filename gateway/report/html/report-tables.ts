import type { GatewayFacts } from '../report-line.js';
import type { LatencySummary, ReportData, ReportGap, StageSummary } from '../report-data.js';
import { element, escapeText } from './svg.js';
import { amount, type Clock, duration, percent, STAGE_MEANINGS } from './wording.js';

type Cell = string | { readonly html: string; readonly className?: string };

interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** Cells of text are escaped. */
function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const classOf = (index: number): string | undefined =>
    columns[index]?.isNumber === true ? 'number' : undefined;
  const head = columns.map(({ name }, index) =>
    element('th', { scope: 'col', class: classOf(index) }, escapeText(name)),
  );
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, index) => {
        const { html, className } =
          typeof cell === 'string' ? { html: escapeText(cell), className: undefined } : cell;
        const classes = [classOf(index), className].filter((name) => name !== undefined).join(' ');
        return element('td', { class: classes === '' ? undefined : classes }, html);
      }),
    ),
  );
  const whole = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
  return element('div', { class: 'wide' }, whole);
}

const numbers = (...names: readonly string[]): Column[] => names.map((name) => ({ name, isNumber: true }));
const quiet = (text: string): Cell => ({ html: escapeText(text), className: 'quiet' });

export const stagesTable = (stages: readonly StageSummary[]): string =>
  table(
    [
      { name: 'stage' },
      { name: 'the time a word waits …' },
      ...numbers('mean', 'share', 'p50', 'p95', 'p99', 'longest'),
    ],
    stages.map(({ stage, meanMs, share, p50Ms, p95Ms, p99Ms, maxMs }) => [
      { html: element('span', { class: `swatch stage ${stage}` }) + stage },
      quiet(STAGE_MEANINGS[stage]),
      duration(meanMs),
      percent(share),
      ...[p50Ms, p95Ms, p99Ms, maxMs].map(duration),
    ]),
  );

export function timesTable({ words, finals, firstPartials }: ReportData): string {
  const row = (name: string, { count, p50Ms, p90Ms, p95Ms, p99Ms, maxMs }: LatencySummary): Cell[] => [
    name,
    ...[p50Ms, p90Ms, p95Ms, p99Ms, maxMs].map(duration),
    amount(count),
  ];
  return table(
    [{ name: 'from … to' }, ...numbers('p50', 'p90', 'p95', 'p99', 'latest', 'count')],
    [
      row('end of a word to the word', words),
      row('end of a segment’s speech to its final', finals),
      row('beginning of a segment’s speech to its first text', firstPartials),
    ],
  );
}

const GAP_REASONS: Readonly<Record<string, string>> = {
  overloaded: 'recognition could not keep up',
  recogniser_failed: 'recognition failed on it, or was away',
  audio_missing: 'the speaker’s audio did not arrive',
  gateway_restarted: 'the gateway ended',
};

export const gapsTable = (gaps: readonly ReportGap[]): string =>
  table(
    [{ name: 'reason' }, { name: '' }, ...numbers('gaps', 'speech')],
    gaps.map(({ reason, count, durationMs }) => [
      reason,
      quiet(GAP_REASONS[reason] ?? ''),
      amount(count),
      duration(durationMs),
    ]),
  );

export function roomsTable({ rooms, roomCount, budget }: ReportData): string {
  const more = roomCount - rooms.length;
  return (
    table(
      [
        { name: 'room' },
        ...numbers('words', 'p50', 'p95', 'latest', `later than ${duration(budget.p95Ms)}`),
        { name: 'most time in' },
        ...numbers('gaps', 'changed'),
      ],
      rooms.map(({ room, words, lateShare, slowestStage, gaps, revised }) => [
        room,
        amount(words.count),
        duration(words.p50Ms),
        (words.p95Ms ?? 0) > budget.p95Ms
          ? { html: duration(words.p95Ms), className: 'bad' }
          : duration(words.p95Ms),
        duration(words.maxMs),
        percent(words.count === 0 ? null : lateShare),
        slowestStage ?? '–',
        gaps > 0 ? { html: amount(gaps), className: 'bad' } : '0',
        percent(words.count === 0 ? null : revised / words.count),
      ]),
    ) + (more > 0 ? element('p', { class: 'foot' }, `And ${amount(more)} more.`) : '')
  );
}

export const gatewaysTable = (gateways: readonly GatewayFacts[], clock: Clock): string =>
  table(
    [
      { name: 'gateway since' },
      { name: 'version' },
      { name: 'model' },
      { name: 'engine' },
      { name: 'machine' },
    ],
    gateways.map(
      ({ startedAtMs, version, model, precision, engine, recognisers, cpu, cores, memoryGb, node }) => [
        `${clock.day(startedAtMs)}, ${clock.time(startedAtMs)}`,
        version,
        `${model} (${precision})`,
        `${engine}, ${recognisers} × recogniser`,
        `${cpu}, ${cores} cores, ${memoryGb} GB, Node ${node}`,
      ],
    ),
  );
