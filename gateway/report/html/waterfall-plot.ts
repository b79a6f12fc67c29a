import { scaleLinear } from 'd3-scale';
import { STAGES } from '../../latency/word-latency.js';
import type { StageMeans } from '../report-data.js';
import { element, escapeText, picture } from './svg.js';
import { duration, percent } from './wording.js';

const WIDTH = 490;
const LEFT = 78;
/** For the figure beside the bar. */
const RIGHT = 104;
const ROW = 27;
const TOP = 8;

/** One stage after the other, from the end of a word to its caption. */
export function waterfallPlot(means: StageMeans, label: string): string {
  const totalMs = STAGES.reduce((sum, stage) => sum + means[stage], 0);
  const bottom = TOP + ROW * (STAGES.length + 1);
  const x = scaleLinear([0, Math.max(1, totalMs)], [LEFT, WIDTH - RIGHT]);
  let startMs = 0;
  const rows = STAGES.map((stage, index) => {
    const fromMs = startMs;
    startMs += means[stage];
    const y = TOP + ROW * index;
    return (
      element('text', { x: LEFT - 10, y: y + 16, 'text-anchor': 'end', class: 'row-name' }, stage) +
      element('line', { x1: x(fromMs), x2: x(fromMs), y1: y - 4, y2: y + 4, class: 'joint' }) +
      element('rect', {
        x: x(fromMs),
        y: y + 3,
        width: Math.max(1.5, x(startMs) - x(fromMs)),
        height: ROW - 9,
        rx: 2,
        class: `stage ${stage}`,
      }) +
      element(
        'text',
        { x: x(startMs) + 7, y: y + 16, class: 'row-figure' },
        escapeText(`${duration(means[stage])} · ${percent(totalMs === 0 ? 0 : means[stage] / totalMs)}`),
      )
    );
  });
  const y = TOP + ROW * STAGES.length;
  return picture(
    { width: WIDTH, height: bottom + 20, label },
    ...x
      .ticks(4)
      .map(
        (tick) =>
          element('line', { x1: x(tick), x2: x(tick), y1: TOP, y2: bottom, class: 'grid' }) +
          element(
            'text',
            { x: x(tick), y: bottom + 15, 'text-anchor': 'middle', class: 'tick' },
            tick === 0 ? '0' : duration(tick),
          ),
      ),
    ...rows,
    element('text', { x: LEFT - 10, y: y + 16, 'text-anchor': 'end', class: 'row-name total' }, 'mean'),
    element('rect', {
      x: x(0),
      y: y + 3,
      width: Math.max(1.5, x(totalMs) - x(0)),
      height: ROW - 9,
      rx: 2,
      class: 'total-bar',
    }),
    element('text', { x: x(totalMs) + 7, y: y + 16, class: 'row-figure total' }, duration(totalMs)),
  );
}
