import { scaleLinear, scaleLog, scaleTime } from 'd3-scale';
import { area, line } from 'd3-shape';
import { type Stage, STAGES } from '../../latency/word-latency.js';
import type { ReportData, ReportStep } from '../report-data.js';
import { element, escapeText, picture } from './svg.js';
import { amount, type Clock, duration, plural } from './wording.js';

const WIDTH = 1000;
const LEFT = 62;
/** Half a label of the axis has room. */
const RIGHT = 22;
const LATENCY = { top: 26, height: 220 };
const STAGE_PANEL = { top: 292, height: 150 };
const VOLUME = { top: 486, height: 44 };
const HEIGHT = 558;
/** With so few steps each is a point. */
const FEW_STEPS = 70;
const LATENCY_TICKS_MS = [50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000];

type Percentile = 'p50Ms' | 'p95Ms' | 'p99Ms';

/** Latency, stages and words over time, one above the other. Empty where there is no time line. */
export function timeLinePlot(data: ReportData, clock: Clock): string {
  const { window, timeLine } = data;
  if (window === null) return '';
  const x = scaleTime([window.fromMs, window.toMs], [LEFT, WIDTH - RIGHT]);
  const middle = (step: ReportStep): number => x(step.atMs + window.stepMs / 2);
  const barWidth = Math.max(1, (x(window.fromMs + window.stepMs) - x(window.fromMs)) * 0.8);
  const panels = { data, x, middle, barWidth };
  const ticks = x.ticks(9).map((tick) =>
    element(
      'g',
      {},
      element('line', {
        x1: x(tick),
        x2: x(tick),
        y1: LATENCY.top,
        y2: VOLUME.top + VOLUME.height,
        class: 'grid',
      }),
      text({ x: x(tick), y: HEIGHT - 8, anchor: 'middle', className: 'tick' }, clock.tick(tick.getTime())),
    ),
  );
  return picture(
    {
      width: WIDTH,
      height: HEIGHT,
      label:
        'Word latency, mean time in each stage, and words spoken, over time; the tables below have the figures.',
    },
    ...bands(panels),
    ...ticks,
    latencyPanel(panels),
    stagePanel(panels),
    volumePanel(panels),
    ...timeLine.map((step) =>
      element(
        'rect',
        {
          x: middle(step) - barWidth / 2 / 0.8,
          y: LATENCY.top,
          width: barWidth / 0.8,
          height: VOLUME.top + VOLUME.height - LATENCY.top,
          class: 'hover',
        },
        element('title', {}, escapeText(describeStep(step, clock))),
      ),
    ),
  );
}

interface Panels {
  readonly data: ReportData;
  readonly x: (moment: number) => number;
  readonly middle: (step: ReportStep) => number;
  readonly barWidth: number;
}

/** What stood out, behind everything else. */
function bands({ data, x }: Panels): string[] {
  const marked = data.findings.filter(({ kind }) => kind !== 'over');
  return marked.map((finding) => {
    const from = x(finding.fromMs);
    return element('rect', {
      x: from,
      y: LATENCY.top,
      width: Math.max(2, x(finding.toMs) - from),
      height: VOLUME.top + VOLUME.height - LATENCY.top,
      class: `band ${finding.kind}`,
    });
  });
}

function latencyPanel({ data, middle }: Panels): string {
  const { timeLine, budget, ofcomMs } = data;
  const highest = Math.max(ofcomMs * 1.3, ...timeLine.map(({ words }) => (words.p99Ms ?? 0) * 1.1));
  const lowest = Math.min(ofcomMs, budget.p50Ms, ...timeLine.map(({ words }) => words.p50Ms ?? Infinity));
  const y = scaleLog([Math.max(5, lowest * 0.6), highest], [LATENCY.top + LATENCY.height, LATENCY.top]).clamp(
    true,
  );
  const isKnown = ({ words }: ReportStep): boolean => words.count > 0;
  const at = (percentile: Percentile) => (step: ReportStep) => y(Math.max(1, step.words[percentile] ?? 1));
  const curve = (percentile: Percentile): string =>
    element('path', {
      d: line<ReportStep>(middle, at(percentile)).defined(isKnown)(timeLine) ?? '',
      class: `curve ${percentile}`,
    });
  const between = area<ReportStep>(middle, at('p50Ms'), at('p95Ms')).defined(isKnown)(timeLine) ?? '';
  const points =
    timeLine.length > FEW_STEPS
      ? []
      : timeLine.filter(isKnown).flatMap((step) =>
          (['p50Ms', 'p95Ms'] as const).map((percentile) =>
            element('circle', {
              cx: middle(step),
              cy: at(percentile)(step),
              r: 2.6,
              class: `point ${percentile}`,
            }),
          ),
        );
  const [lowEnd = 0, highEnd = 0] = y.domain();
  const ticks = LATENCY_TICKS_MS.filter((tick) => tick >= lowEnd && tick <= highEnd);
  return element(
    'g',
    {},
    panelTitle(LATENCY.top, 'Word latency: median, 95th and 99th percentile (logarithmic)'),
    ...ticks.map((tick) => horizontal(y(tick), duration(tick))),
    element('path', { d: between, class: 'between' }),
    curve('p99Ms'),
    curve('p95Ms'),
    curve('p50Ms'),
    ...points,
    // Last, so that nothing lies over their words.
    limit(y(budget.p95Ms), { text: `budget p95 ${duration(budget.p95Ms)}`, className: 'budget' }),
    limit(y(ofcomMs), { text: `Ofcom ${duration(ofcomMs)}`, className: 'ofcom' }),
    ...timeLine
      .filter(({ gaps }) => gaps > 0)
      .map((step) =>
        element('path', { d: `M${middle(step) - 5},${LATENCY.top}h10l-5,9z`, class: 'gap-mark' }),
      ),
  );
}

function stagePanel({ data, middle, barWidth }: Panels): string {
  const { timeLine } = data;
  const sumOf = ({ meanStagesMs }: ReportStep): number =>
    meanStagesMs === null ? 0 : STAGES.reduce((sum, stage) => sum + meanStagesMs[stage], 0);
  const { top, height } = STAGE_PANEL;
  const y = scaleLinear([0, Math.max(100, ...timeLine.map(sumOf))], [top + height, top]).nice(4);
  const columns = timeLine.flatMap((step) => {
    let belowMs = 0;
    const { meanStagesMs } = step;
    if (meanStagesMs === null) return [];
    return STAGES.filter((stage) => meanStagesMs[stage] > 0).map((stage) => {
      const [from, to] = [belowMs, belowMs + meanStagesMs[stage]];
      belowMs = to;
      return element('rect', {
        x: middle(step) - barWidth / 2,
        y: y(to),
        width: barWidth,
        height: Math.max(0, y(from) - y(to)),
        class: `stage ${stage}`,
      });
    });
  });
  return element(
    'g',
    {},
    panelTitle(top, 'Where the time went: mean of a word in each stage'),
    ...y.ticks(4).map((tick) => horizontal(y(tick), tick === 0 ? '0' : duration(tick))),
    ...columns,
    legend(top + height + 20),
  );
}

function volumePanel({ data, middle, barWidth }: Panels): string {
  const { timeLine } = data;
  const { top, height } = VOLUME;
  const y = scaleLinear([0, Math.max(1, ...timeLine.map(({ words }) => words.count))], [top + height, top]);
  const [, most = 0] = y.domain();
  return element(
    'g',
    {},
    text({ x: LEFT - 8, y: top + 10, anchor: 'end', className: 'tick' }, amount(most)),
    text({ x: LEFT - 8, y: top + height, anchor: 'end', className: 'tick' }, 'words'),
    element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: top + height, y2: top + height, class: 'axis' }),
    ...timeLine
      .filter(({ words }) => words.count > 0)
      .map((step) =>
        element('rect', {
          x: middle(step) - barWidth / 2,
          y: y(step.words.count),
          width: barWidth,
          height: top + height - y(step.words.count),
          class: 'volume',
        }),
      ),
  );
}

function legend(y: number): string {
  const spacing = (WIDTH - LEFT - RIGHT) / STAGES.length;
  return STAGES.map((stage: Stage, index) =>
    element(
      'g',
      {},
      element('rect', {
        x: LEFT + index * spacing,
        y: y - 9,
        width: 11,
        height: 11,
        class: `stage ${stage}`,
      }),
      text({ x: LEFT + index * spacing + 16, y, anchor: 'start', className: 'tick' }, stage),
    ),
  ).join('');
}

interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  readonly className: string;
}

const text = ({ x, y, anchor, className }: TextPlace, content: string): string =>
  element('text', { x, y, 'text-anchor': anchor, class: className }, escapeText(content));

const panelTitle = (top: number, title: string): string =>
  text({ x: LEFT, y: top - 10, anchor: 'start', className: 'panel-title' }, title);

const horizontal = (y: number, label: string): string =>
  element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: 'grid' }) +
  text({ x: LEFT - 8, y: y + 4, anchor: 'end', className: 'tick' }, label);

const limit = (y: number, { text: label, className }: { text: string; className: string }): string =>
  element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, class: `limit ${className}` }) +
  text({ x: LEFT + 8, y: y - 6, anchor: 'start', className: `limit-label ${className}` }, label);

function describeStep(step: ReportStep, clock: Clock): string {
  const { atMs, words, gaps, restarts, minutesRunning, longestBacklogMs, meanStagesMs } = step;
  if (minutesRunning === 0 && words.count === 0) return `${clock.time(atMs)}: no gateway ran`;
  const lines = [`${clock.time(atMs)}: ${plural(words.count, 'word')}`];
  if (words.count > 0)
    lines.push(
      `median ${duration(words.p50Ms)}, p95 ${duration(words.p95Ms)}, latest ${duration(words.maxMs)}`,
    );
  if (meanStagesMs !== null) {
    const parts = STAGES.filter((stage) => meanStagesMs[stage] >= 1);
    lines.push(parts.map((stage) => `${stage} ${duration(meanStagesMs[stage])}`).join(', '));
  }
  if (longestBacklogMs > 0) lines.push(`furthest behind ${duration(longestBacklogMs)}`);
  if (gaps > 0) lines.push(plural(gaps, 'gap'));
  if (restarts > 0) lines.push(plural(restarts, 'restart'));
  return lines.join('\n');
}
