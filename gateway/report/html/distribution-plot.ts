import { scaleLinear, scaleLog } from 'd3-scale';
import type { ReportData } from '../report-data.js';
import { element, escapeText, labelRows, picture } from './svg.js';
import { amount, duration, percent } from './wording.js';

const WIDTH = 1000;
const LEFT = 62;
const RIGHT = 14;
const LABEL_ROW = 17;
const PLOT_HEIGHT = 200;
const TICKS_MS = [10, 20, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 60_000];

/** How often which word latency occurred; percentiles, budget and guideline as lines. */
export function distributionPlot({ distribution, words, budget, ofcomMs }: ReportData): string {
  const first = distribution[0];
  const last = distribution.at(-1);
  if (first === undefined || last === undefined) return '';
  const x = scaleLog(
    [Math.max(5, Math.min(first.fromMs, 100)), Math.max(last.toMs, ofcomMs * 1.25)],
    [LEFT, WIDTH - RIGHT],
  ).clamp(true);
  const lines = [
    { ms: words.p50Ms, name: 'p50', className: 'mark' },
    { ms: words.p95Ms, name: 'p95', className: 'mark' },
    { ms: words.p99Ms, name: 'p99', className: 'mark' },
    { ms: budget.p95Ms, name: 'budget p95', className: 'budget' },
    { ms: ofcomMs, name: 'Ofcom', className: 'ofcom' },
  ].flatMap(({ ms, name, className }) =>
    ms === null ? [] : [{ x: x(Math.max(1, ms)), text: `${name} ${duration(ms)}`, className }],
  );
  const labels = labelRows(lines, WIDTH - RIGHT);
  const top = 8 + LABEL_ROW * (1 + Math.max(0, ...labels.map(({ row }) => row)));
  const bottom = top + PLOT_HEIGHT;
  const most = Math.max(...distribution.map(({ count }) => count));
  const y = scaleLinear([0, most / words.count], [bottom, top]).nice(4);
  const [lowEnd = 0, highEnd = 0] = x.domain();
  return picture(
    {
      width: WIDTH,
      height: bottom + 40,
      label: `Distribution of the latency of ${amount(words.count)} words; median ${duration(words.p50Ms)}, 95th percentile ${duration(words.p95Ms)}.`,
    },
    ...y
      .ticks(4)
      .map(
        (tick) =>
          element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick), class: 'grid' }) +
          element(
            'text',
            { x: LEFT - 8, y: y(tick) + 4, 'text-anchor': 'end', class: 'tick' },
            percent(tick),
          ),
      ),
    ...TICKS_MS.filter((tick) => tick >= lowEnd && tick <= highEnd).map((tick) =>
      element('text', { x: x(tick), y: bottom + 18, 'text-anchor': 'middle', class: 'tick' }, duration(tick)),
    ),
    ...distribution
      .filter(({ count }) => count > 0)
      .map(({ fromMs, toMs, count }) =>
        element(
          'rect',
          {
            x: x(fromMs) + 0.5,
            y: y(count / words.count),
            width: Math.max(1, x(toMs) - x(fromMs) - 1),
            height: bottom - y(count / words.count),
            class: fromMs >= budget.p95Ms ? 'bar late' : 'bar',
          },
          element(
            'title',
            {},
            `${duration(fromMs)} to ${duration(toMs)}: ${amount(count)} words, ${percent(count / words.count)}`,
          ),
        ),
      ),
    element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: bottom, y2: bottom, class: 'axis' }),
    ...labels.map(({ x: at, text, className, row, isLeft }) => {
      const labelY = 8 + LABEL_ROW * (row + 0.7);
      return (
        element('line', { x1: at, x2: at, y1: labelY - 9, y2: bottom, class: `limit ${className}` }) +
        element(
          'text',
          {
            x: isLeft ? at - 5 : at + 5,
            y: labelY,
            'text-anchor': isLeft ? 'end' : 'start',
            class: `limit-label ${className}`,
          },
          escapeText(text),
        )
      );
    }),
    element(
      'text',
      { x: WIDTH - RIGHT, y: bottom + 36, 'text-anchor': 'end', class: 'tick' },
      'end of a word to its caption (logarithmic)',
    ),
  );
}
