/** The report's pictures: SVG, by d3's scales and shapes. */
import { scaleBand, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { element, escapeText, picture } from '../gateway/index.js';
import type { Report } from './report-bench.js';

const WIDTH = 860;
const HEIGHT = 320;
const MARGIN = { left: 64, right: 150, top: 16, bottom: 40 };
/** Told apart by lightness too. */
const COLOURS = ['#1f5fbf', '#d9622b', '#3d9a5f', '#9a6fd0', '#8896a6', '#b3261e'];
const LATENCY_TICKS_MS = [50, 100, 200, 300, 500, 700, 1000, 2000, 5000, 10_000, 30_000];

type Point = readonly [number, number];
interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
}

interface Axis {
  readonly of: (value: number) => number;
  readonly ticks: readonly number[];
  readonly label: string;
}

/** Share of words that were there within a time, one curve per run. Empty without samples. */
export function latencyPlot({ latencySamples }: Report): string {
  const curves = latencySamples
    .filter(({ valuesMs }) => valuesMs.length > 0)
    .map(({ name, valuesMs }) => {
      const sorted = valuesMs.map((value) => Math.max(1, value)).toSorted((a, b) => a - b);
      return {
        name,
        points: sorted.map((value, index): Point => [value, ((index + 1) / sorted.length) * 100]),
      };
    });
  if (curves.length === 0) return '';
  const values = curves.flatMap(({ points }) => points.map(([value]) => value)).toSorted((a, b) => a - b);
  const least = Math.max(20, values[Math.floor(values.length * 0.01)] ?? 20);
  const most = Math.max(least * 2, values.at(-1) ?? 1000);
  const x = scaleLog([least, most], [MARGIN.left, WIDTH - MARGIN.right]).clamp(true);
  const y = scaleLinear([0, 100], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  return curvesPlot(curves, {
    label: 'Share of words shown within a time after their end, for each run.',
    x: {
      of: x,
      ticks: LATENCY_TICKS_MS.filter((tick) => tick >= least && tick <= most),
      label: 'ms after the end of the word',
    },
    y: { of: y, ticks: [0, 25, 50, 75, 95], label: '% of words' },
  });
}

/** The p95 of word latency against people talking, the gateway's and the other systems'. Empty without steps. */
export function capacityPlot({ capacity, peers }: Report): string {
  const curves: (Curve & { budgetMs: number })[] = [
    ...(capacity === undefined
      ? []
      : [{ name: 'gateway', points: pointsOf(capacity.steps), budgetMs: capacity.budgetMs }]),
    ...(peers?.arms ?? []).flatMap(({ arm, streamsAtBudget }) =>
      streamsAtBudget === null
        ? []
        : [{ name: arm, points: pointsOf(streamsAtBudget.steps), budgetMs: peers?.budgetMs ?? 0 }],
    ),
  ].filter(({ points }) => points.length > 0);
  if (curves.length === 0) return '';
  const budgetMs = curves[0]?.budgetMs ?? 0;
  const most = Math.max(...curves.flatMap(({ points }) => points.map(([load]) => load)));
  const worst = Math.max(2 * budgetMs, ...curves.flatMap(({ points }) => points.map(([, p95]) => p95)));
  const x = scaleLinear([0, most], [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLog([200, worst], [HEIGHT - MARGIN.bottom, MARGIN.top]).clamp(true);
  return curvesPlot(curves, {
    label: 'The p95 of word latency against the number of people talking, for each system.',
    x: { of: x, ticks: x.ticks(8), label: 'people talking, on average' },
    y: { of: y, ticks: LATENCY_TICKS_MS.filter((tick) => tick >= 200 && tick <= worst), label: 'p95, ms' },
    limit: { at: budgetMs, text: `budget ${budgetMs} ms` },
    hasPoints: true,
  });
}

/** The median of word latency over the run. Empty without laps. */
export function endurancePlot({ endurance }: Report): string {
  const laps = endurance?.laps ?? [];
  if (laps.length < 2) return '';
  const curves = (['p50', 'p95'] as const).map((name) => ({
    name,
    points: laps.flatMap((lap): Point[] => {
      const value = lap[name];
      return value === null ? [] : [[lap.atS / 60, value]];
    }),
  }));
  const most = Math.max(...laps.map(({ atS }) => atS / 60));
  const worst = Math.max(...curves.flatMap(({ points }) => points.map(([, value]) => value)));
  const x = scaleLinear([0, most], [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear([0, worst], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice();
  return curvesPlot(curves, {
    label: 'Word latency of each lap over the run.',
    x: { of: x, ticks: x.ticks(8), label: 'minutes' },
    y: { of: y, ticks: y.ticks(5), label: 'ms' },
    hasPoints: true,
  });
}

/** From p50 to p95 of word latency, a bar a system. Empty without arms that ran. */
export function peersPlot({ peers }: Report): string {
  const arms = (peers?.arms ?? []).flatMap(({ arm, wordLatencyMs: { p50, p95 } }) =>
    p50 === null || p95 === null ? [] : [{ arm, p50, p95 }],
  );
  if (arms.length === 0) return '';
  const height = 44 * arms.length + MARGIN.bottom + MARGIN.top;
  const left = 150;
  const x = scaleLinear([0, Math.max(...arms.map(({ p95 }) => p95))], [left, WIDTH - 110]).nice();
  const y = scaleBand(
    arms.map(({ arm }) => arm),
    [MARGIN.top, height - MARGIN.bottom],
  ).padding(0.35);
  return picture(
    {
      width: WIDTH,
      height,
      label: 'Word latency from p50 to p95 for each system; the table has the figures.',
    },
    ...x.ticks(8).flatMap((tick) => [
      element('line', {
        x1: x(tick),
        x2: x(tick),
        y1: MARGIN.top,
        y2: height - MARGIN.bottom,
        class: 'grid',
      }),
      text({ x: x(tick), y: height - 20, anchor: 'middle' }, String(tick)),
    ]),
    text(
      { x: (left + WIDTH - 110) / 2, y: height - 4, anchor: 'middle' },
      'ms after the end of the word: p50 to p95',
    ),
    ...arms.flatMap(({ arm, p50, p95 }, index) => {
      const top = y(arm) ?? 0;
      const middle = top + y.bandwidth() / 2;
      return [
        text({ x: left - 10, y: middle + 4, anchor: 'end' }, arm),
        element('rect', {
          x: x(p50),
          y: top,
          width: Math.max(2, x(p95) - x(p50)),
          height: y.bandwidth(),
          rx: 3,
          fill: COLOURS[index],
        }),
        text({ x: x(p95) + 8, y: middle + 4, anchor: 'start' }, `${p50} – ${p95} ms`),
      ];
    }),
  );
}

/** The last try of each load. */
function pointsOf(
  steps: readonly { readonly load: number; readonly wordLatencyMs: { readonly p95: number | null } }[],
): Point[] {
  const byLoad = new Map(
    steps.flatMap(({ load, wordLatencyMs: { p95 } }): Point[] =>
      p95 === null ? [] : [[load, Math.max(1, p95)]],
    ),
  );
  return [...byLoad].toSorted(([a], [b]) => a - b);
}

function curvesPlot(
  curves: readonly Curve[],
  plot: {
    readonly label: string;
    readonly x: Axis;
    readonly y: Axis;
    readonly limit?: { readonly at: number; readonly text: string };
    readonly hasPoints?: boolean;
  },
): string {
  const { x, y, limit } = plot;
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const path = line<Point>(
    ([at]) => x.of(at),
    ([, value]) => y.of(value),
  );
  return picture(
    { width: WIDTH, height: HEIGHT, label: plot.label },
    ...x.ticks.flatMap((tick) => [
      element('line', { x1: x.of(tick), x2: x.of(tick), y1: MARGIN.top, y2: bottom, class: 'grid' }),
      text({ x: x.of(tick), y: bottom + 16, anchor: 'middle' }, String(tick)),
    ]),
    ...y.ticks.flatMap((tick) => [
      element('line', { x1: MARGIN.left, x2: right, y1: y.of(tick), y2: y.of(tick), class: 'grid' }),
      text({ x: MARGIN.left - 8, y: y.of(tick) + 4, anchor: 'end' }, String(tick)),
    ]),
    text({ x: (MARGIN.left + right) / 2, y: HEIGHT - 6, anchor: 'middle' }, x.label),
    element(
      'text',
      {
        transform: `translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
        'text-anchor': 'middle',
        class: 'tick',
      },
      escapeText(y.label),
    ),
    ...(limit === undefined
      ? []
      : [
          element('line', {
            x1: MARGIN.left,
            x2: right,
            y1: y.of(limit.at),
            y2: y.of(limit.at),
            class: 'limit budget',
          }),
          text({ x: right - 6, y: y.of(limit.at) - 5, anchor: 'end' }, limit.text),
        ]),
    ...curves.flatMap(({ name, points }, index) => {
      const colour = COLOURS[index % COLOURS.length];
      const legendY = MARGIN.top + 12 + index * 20;
      return [
        element('path', { d: path(points) ?? '', fill: 'none', stroke: colour, 'stroke-width': 2 }),
        ...(plot.hasPoints === true
          ? points.map(([at, value]) =>
              element('circle', { cx: x.of(at), cy: y.of(value), r: 3.2, fill: colour }),
            )
          : []),
        element('rect', { x: right + 12, y: legendY - 9, width: 12, height: 4, fill: colour }),
        text({ x: right + 30, y: legendY - 3, anchor: 'start' }, name),
      ];
    }),
  );
}

const text = (
  { x, y, anchor }: { readonly x: number; readonly y: number; readonly anchor: 'start' | 'middle' | 'end' },
  content: string,
): string => element('text', { x, y, 'text-anchor': anchor, class: 'tick' }, escapeText(content));
