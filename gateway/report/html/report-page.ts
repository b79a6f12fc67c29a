import type { Finding, ReportData } from '../report-data.js';
import { distributionPlot } from './distribution-plot.js';
import { PAGE_STYLE } from './page-style.js';
import { gatewaysTable, gapsTable, roomsTable, stagesTable, timesTable } from './report-tables.js';
import { element, escapeText } from './svg.js';
import { timeLinePlot } from './time-line-plot.js';
import { waterfallPlot } from './waterfall-plot.js';
import { MINUTE_MS } from '../report-line.js';
import { amount, Clock, duration, percent, plural, STAGE_MEANINGS } from './wording.js';

/** One page that needs nothing else: no script, no font, no picture from elsewhere. */
export function reportPage(data: ReportData): string {
  const clock = new Clock(data.timeZone);
  const title =
    data.source === 'gateway' ? 'How late the captions are' : 'How late the captions were in a benchmark';
  const body = element(
    'main',
    {},
    element('h1', {}, title),
    element('p', { class: 'when' }, escapeText(scopeOf(data, clock))),
    verdict(data),
    tiles(data),
    ...sections(data, clock),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function scopeOf({ window, room, timeZone, source }: ReportData, clock: Clock): string {
  if (window === null) return source === 'samples' ? 'Raw samples of a benchmark' : '';
  const where = room === null ? 'all rooms' : room;
  return `${clock.span(window.fromMs, window.toMs)} (${timeZone}) · ${where}`;
}

function verdict({ words, budget }: ReportData): string {
  if (words.p95Ms === null)
    return element(
      'p',
      { class: 'verdict' },
      'Nobody was captioned in this time: there is nothing to measure.',
    );
  const isGood = words.p95Ms <= budget.p95Ms;
  const said = `95 of 100 words were shown within ${duration(words.p95Ms)} of being said`;
  const compared = isGood
    ? `within the budget of ${duration(budget.p95Ms)}.`
    : `over the budget of ${duration(budget.p95Ms)}.`;
  return element('p', { class: `verdict ${isGood ? 'good' : 'bad'}` }, `${said}, ${compared}`);
}

function tiles(data: ReportData): string {
  const { words, finals, budget, gaps } = data;
  const over = (ms: number | null, limitMs: number): boolean => ms !== null && ms > limitMs;
  const gapCount = gaps.reduce((sum, { count }) => sum + count, 0);
  const gapMs = gaps.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const tile = (name: string, figure: string, more: { note: string; isBad?: boolean }): string =>
    element(
      'li',
      {},
      element('span', { class: 'name' }, name),
      element('span', { class: more.isBad === true ? 'figure bad' : 'figure' }, figure),
      element('span', { class: 'note' }, escapeText(more.note)),
    );
  return element(
    'ul',
    { class: 'tiles' },
    tile('Median word', duration(words.p50Ms), {
      note: `budget ${duration(budget.p50Ms)}`,
      isBad: over(words.p50Ms, budget.p50Ms),
    }),
    tile('95 of 100 words', duration(words.p95Ms), {
      note: `budget ${duration(budget.p95Ms)}`,
      isBad: over(words.p95Ms, budget.p95Ms),
    }),
    tile('99 of 100 words', duration(words.p99Ms), { note: `latest ${duration(words.maxMs)}` }),
    tile('Within Ofcom’s 3 s', percent(words.withinOfcom), { note: plural(words.count, 'word') }),
    tile('To the final, p95', duration(finals.p95Ms), {
      note: `budget ${duration(budget.finalP95Ms)}`,
      isBad: over(finals.p95Ms, budget.finalP95Ms),
    }),
    tile('First text, median', duration(data.firstPartials.p50Ms), {
      note: 'from the first word’s beginning',
    }),
    // What is not in the samples of a benchmark is no zero.
    ...(data.source === 'samples'
      ? []
      : [
          tile('Words changed', percent(data.revisionRate), { note: 'after they were shown' }),
          tile('Gaps', amount(gapCount), {
            note: gapCount === 0 ? 'nothing was left out' : `${duration(gapMs)} of speech`,
            isBad: gapCount > 0,
          }),
        ]),
  );
}

function sections(data: ReportData, clock: Clock): string[] {
  const { stages, slowest, distribution, timeLine, rooms } = data;
  const parts: string[] = [];
  if (data.source === 'gateway') parts.push(section('What stood out', findings(data, clock)));
  if (timeLine.length > 0) parts.push(section('Over time', timeLinePlot(data, clock)));
  if (distribution.length > 0) parts.push(section('How late the words were', distributionPlot(data)));
  if (stages.length > 0) parts.push(section('Where the time goes', waterfalls(data), stagesTable(stages)));
  parts.push(section('Finals and first text', timesTable(data)));
  if (data.gaps.length > 0) parts.push(section('Speech without captions', gapsTable(data.gaps)));
  if (rooms.length > 0 && data.room === null) parts.push(section('Rooms, the worst first', roomsTable(data)));
  parts.push(about(data, clock));
  if (slowest === null && stages.length === 0 && data.source === 'samples')
    parts.push(element('p', { class: 'foot' }, 'The samples tell no stages.'));
  return parts;
}

const section = (title: string, ...children: readonly string[]): string =>
  element('section', {}, element('h2', {}, title), ...children);

function waterfalls({ stages, slowest, words }: ReportData): string {
  const meanOf = (name: string): number => stages.find(({ stage }) => stage === name)?.meanMs ?? 0;
  const all = {
    arrival: meanOf('arrival'),
    gate: meanOf('gate'),
    lookahead: meanOf('lookahead'),
    queue: meanOf('queue'),
    decode: meanOf('decode'),
    segment: meanOf('segment'),
    publish: meanOf('publish'),
    delivery: meanOf('delivery'),
  };
  const figure = (title: string, plot: string, className = ''): string =>
    element(
      'div',
      { class: className === '' ? undefined : className },
      element('h3', {}, escapeText(title)),
      plot,
    );
  const first = figure(
    `All ${amount(words.count)} words`,
    waterfallPlot(all, 'Mean of all words in each stage'),
    slowest === null ? 'whole' : '',
  );
  const second =
    slowest === null
      ? ''
      : figure(
          `The slowest ${percent(slowest.share)}: ${duration(slowest.fromMs)} and more`,
          waterfallPlot(slowest.meanStagesMs, 'Mean of the slowest words in each stage'),
        );
  return element('div', { class: 'pair' }, first, second);
}

function findings({ findings: found, window, words }: ReportData, clock: Clock): string {
  if (window === null) return '';
  if (found.length === 0)
    return element(
      'p',
      {},
      words.count === 0 ? 'Nothing.' : 'Nothing: no step of this time was over budget.',
    );
  const items = found.map((finding) =>
    element(
      'li',
      { class: finding.kind },
      describe(finding, { moment: (ms) => clock.moment(ms, window), stepMs: window.stepMs }),
    ),
  );
  return element('ul', { class: 'findings' }, ...items);
}

function describe(
  finding: Finding,
  { moment, stepMs }: { readonly moment: (ms: number) => string; readonly stepMs: number },
): string {
  const stepName = stepMs === MINUTE_MS ? 'minutes' : `steps of ${duration(stepMs)}`;
  const when = element('strong', {}, escapeText(`${moment(finding.fromMs)} – ${moment(finding.toMs)}`));
  switch (finding.kind) {
    case 'late': {
      const { words, p95Ms, maxMs, stage, stageMeanMs, usualStageMeanMs } = finding;
      const usual = usualStageMeanMs === null ? '' : `, otherwise ${duration(usualStageMeanMs)}`;
      return `${when}: late. 95 of 100 words took up to ${duration(p95Ms)}, the latest of ${plural(words, 'word')} ${duration(maxMs)}. The time went to ${element('strong', {}, stage)} (${escapeText(STAGE_MEANINGS[stage])}): ${duration(stageMeanMs)} a word${usual}.`;
    }
    case 'over': {
      const { steps, ofSteps, p95Ms, stage, stageMeanMs } = finding;
      return `${when}: ${steps} of ${ofSteps} ${stepName} over budget, mostly with 95 of 100 words within ${duration(p95Ms)}; most of the time in ${element('strong', {}, stage)} (${duration(stageMeanMs)} a word).`;
    }
    case 'gaps':
      return `${when}: ${plural(finding.count, 'gap')}, ${duration(finding.durationMs)} of speech without captions.`;
    case 'restarts':
      return `${when}: ${plural(finding.count, 'recogniser process', 'recogniser processes')} ended and restarted.`;
    case 'away':
      return `${when}: no gateway ran.`;
  }
}

function about(data: ReportData, clock: Clock): string {
  const { budget, budgetSource, words, unreadableLines } = data;
  const facts: [string, string][] = [
    ['Made', `${clock.day(data.generatedAtMs)}, ${clock.time(data.generatedAtMs)}`],
    [
      'Budget',
      `${budgetSource === 'design' ? 'of the design' : 'chosen'}: words p50 ${duration(budget.p50Ms)}, p95 ${duration(budget.p95Ms)}; finals p95 ${duration(budget.finalP95Ms)}`,
    ],
    ['Ofcom', 'guideline for live captions: at most 3 s'],
  ];
  if (data.source === 'gateway')
    facts.push([
      'Reported back',
      `${amount(words.acknowledged)} of ${plural(words.count, 'word')} were confirmed by a viewer; the others count to their publishing`,
    ]);
  if (unreadableLines > 0)
    facts.push(['Unreadable', `${plural(unreadableLines, 'line')} of the files, left out`]);
  const list = element(
    'dl',
    {},
    ...facts.map(([name, value]) => element('dt', {}, name) + element('dd', {}, escapeText(value))),
  );
  const definition =
    data.source === 'gateway'
      ? 'A word counts from where the recogniser takes it to end, when it first stood where it stayed, by the clock of the gateway. Words, finals and gaps are of the minute in which they were spoken. This report holds no text of captions and no names of people.'
      : 'A word counts from its end in the manifest to the moment it stood in a viewer’s reducer.';
  return element(
    'section',
    { class: 'long' },
    element('h2', {}, 'About this report'),
    list,
    data.gateways.length > 0 ? gatewaysTable(data.gateways, clock) : '',
    element('p', { class: 'foot' }, definition),
  );
}
