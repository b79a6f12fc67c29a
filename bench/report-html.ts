/** The report as a page of its own, with plots. */
import { element, escapeText, PAGE_STYLE } from '../gateway/index.js';
import { isBusy } from './machine.js';
import type { Report } from './report-bench.js';
import { machineText, measuredText } from './report-markdown.js';
import { capacityPlot, endurancePlot, latencyPlot, peersPlot } from './report-plots.js';
import { type ReportSection, sectionsOf } from './report-sections.js';

const PLOTS: Readonly<Record<NonNullable<ReportSection['plot']>, (report: Report) => string>> = {
  latency: latencyPlot,
  capacity: capacityPlot,
  peers: peersPlot,
  endurance: endurancePlot,
};

export function reportHtml(report: Report): string {
  const { machine } = report;
  const main = element(
    'main',
    {},
    element('h1', {}, 'caption-gateway: what was measured'),
    paragraph(
      `${machine.date.slice(0, 10)}${report.tookMinutes === null ? '' : `, ${report.tookMinutes} minutes`}: ${machineText(report)}`,
      'when',
    ),
    paragraph(measuredText(report), 'explained'),
    ...(isBusy(machine)
      ? [paragraph('The machine was busy with other work: figures are too high.', 'verdict bad')]
      : []),
    ...sectionsOf(report).map((section) => sectionHtml(report, section)),
    ...report.failures.map((failure) => paragraph(`Failed: ${failure.split('\n')[0] ?? ''}`, 'verdict bad')),
  );
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>caption-gateway: what was measured</title><style>${PAGE_STYLE}</style></head><body>${main}</body></html>\n`;
}

function sectionHtml(report: Report, { title, plot, head, rows, remarks }: ReportSection): string {
  const cells = (name: 'th' | 'td', row: readonly string[]): string =>
    element('tr', {}, ...row.map((cell) => element(name, {}, unbroken(escapeText(cell)))));
  return element(
    'section',
    {},
    element('h2', {}, escapeText(title)),
    plot === undefined ? '' : PLOTS[plot](report),
    element(
      'div',
      { class: 'wide' },
      element(
        'table',
        {},
        element('thead', {}, cells('th', head)),
        element('tbody', {}, ...rows.map((row) => cells('td', row))),
      ),
    ),
    ...remarks.map((remark) => paragraph(remark, 'explained')),
  );
}

/** A number stays with its unit. */
const unbroken = (text: string): string => text.replaceAll(/(\d) (ms|MB|%)/g, '$1\u00a0$2');

const paragraph = (content: string, className: string): string =>
  element('p', { class: className }, escapeText(content));
