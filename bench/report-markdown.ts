/** The report as it lies in the repository. */
import { isBusy } from './machine.js';
import type { Report } from './report-bench.js';
import { sectionsOf } from './report-sections.js';

export function reportMarkdown(report: Report): string {
  const { machine } = report;
  const command = `npm run bench -- report${report.flags}`;
  const blocks = [
    '# What was measured',
    `Made by \`${command}\`${report.tookMinutes === null ? '' : ` in ${report.tookMinutes} minutes`} on ${machine.date.slice(0, 10)}: ${escaped(machineText(report))}.`,
    escaped(measuredText(report)),
    ...(isBusy(machine)
      ? [
          `**The machine was busy with other work (load ${machine.load1} on ${machine.cores} cores before the run): figures are too high, and arms that ran later may have met more or less of it.**`,
        ]
      : []),
    'What the figures mean: [README.md](README.md). With plots: `report.html`, beside this file once the command has been run.',
    ...sectionsOf(report).flatMap(({ title, head, rows, remarks }) => [
      `## ${title}`,
      tableOf(head, rows),
      ...remarks.map(escaped),
    ]),
    ...(report.failures.length === 0
      ? []
      : [
          '## Failed',
          report.failures.map((failure) => `- ${escaped(failure.split('\n')[0] ?? '')}`).join('\n'),
        ]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

export const machineText = ({ machine }: Report): string =>
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}, load ${machine.load1} before, commit ${machine.commit ?? '–'}`;

/** The model, and the versions of what was measured. */
export function measuredText({ machine, latency, livekit, capacity, peers }: Report): string {
  const model = latency[0]?.model ?? livekit?.model ?? capacity?.model ?? peers?.model ?? null;
  const all = Object.entries({ ...machine.versions, ...peers?.versions });
  return [
    `Model ${model ?? '–'}.`,
    ...(all.length === 0 ? [] : [`Versions: ${all.map((pair) => pair.join(' ')).join(', ')}.`]),
  ].join(' ');
}

/** As the formatter of this repository lays tables out, so that it has nothing to change. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(escaped));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(cells[0] ?? []), rule, ...cells.slice(1).map(line)].join('\n');
}

const escaped = (value: string): string =>
  value.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
