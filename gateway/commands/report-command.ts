import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { outboundFetch } from '../../asr/index.js';
import { CaptionError, errorMessage, gatewayAddress } from '../../protocol/index.js';
import type { Settings } from '../config/settings.js';
import { render } from '../report/render-request.js';
import type { ReportData } from '../report/report-data.js';
import { parseReportQuery, type ReportFormat, type ReportQuery } from '../report/report-query.js';
import { bareHost } from '../server/origin-policy.js';
import { reportSummary } from '../report/report-summary.js';
import type { CommandContext } from './command-context.js';
import { machineClockMs } from '../clock.js';

const DEADLINE_MS = 90_000;

interface ReportFlags {
  readonly url?: string;
  readonly dir?: string;
  readonly samples?: string;
  readonly last?: string;
  readonly from?: string;
  readonly to?: string;
  readonly room?: string;
  readonly names?: boolean;
  readonly budget?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** `caption-gateway report`: how late captions were, from a running gateway, from its files, or from a benchmark's samples. */
export function registerReportCommand(program: Command, context: () => CommandContext): void {
  program
    .command('report')
    .description('how late captions were and where the time went')
    .option('--last <time>', 'how far back: 30m, 24h, 7d', undefined)
    .option('--from <moment>', 'begin of the window, as 2026-11-25T14:00:00Z')
    .option('--to <moment>', 'its end (default: now)')
    .option('--room <name>', 'one room only')
    .option('--names', 'call rooms by their names')
    .option('--budget <ms>', 'compare with P95, or P50,P95, or P50,P95,FINAL_P95')
    .option(
      '--url <url>',
      'the gateway (default: CAPTION_HOST and CAPTION_PORT; with CAPTION_OPERATOR_TOKEN)',
    )
    .option('--dir <folder>', 'read this CAPTION_REPORT_DIR in place of asking a gateway')
    .option('--samples <file>', 'read raw samples that a benchmark kept with --out')
    .option('--html <file>', 'write the report there, as one HTML file')
    .option('--json', 'print one JSON document')
    .option('--csv', 'print the time line as CSV')
    .action((flags: ReportFlags) => report(context(), flags));
}

async function report(context: CommandContext, flags: ReportFlags): Promise<void> {
  const formats = [flags.html, flags.json, flags.csv].filter((chosen) => chosen !== undefined);
  if (formats.length > 1) throw new CaptionError('usage_formats', 'Choose one of --html, --json and --csv.');
  const sources = [flags.url, flags.dir, flags.samples].filter((chosen) => chosen !== undefined);
  if (sources.length > 1)
    throw new CaptionError('usage_report_source', 'Choose one of --url, --dir and --samples.');
  const body = await makeReport(context, flags);
  if (flags.html !== undefined) {
    await writeFile(resolve(context.environment.workingDir, flags.html), body);
    context.stderr.write(`Written to ${flags.html}.\n`);
  } else if (flags.json === true || flags.csv === true) {
    context.stdout.write(body);
  } else {
    context.stdout.write(reportSummary(JSON.parse(body) as ReportData));
  }
}

function makeReport(context: CommandContext, flags: ReportFlags): Promise<string> {
  const { workingDir } = context.environment;
  const query = queryOf(flags);
  const nowMs = machineClockMs();
  if (flags.samples !== undefined)
    return render({ kind: 'samples', path: resolve(workingDir, flags.samples), query, nowMs });
  if (flags.dir !== undefined) {
    const dir = resolve(workingDir, flags.dir);
    return render({ kind: 'gateway', source: { kind: 'folder', dir, lines: [] }, query, nowMs }).catch(
      (error: unknown) => {
        throw new CaptionError('file_not_found', `${dir} cannot be read: ${errorMessage(error)}`);
      },
    );
  }
  return askGateway(context, flags);
}

/** Says what is wrong before anybody is asked. */
function queryOf(flags: ReportFlags): ReportQuery {
  try {
    return parseReportQuery(rawQueryOf(flags), machineClockMs());
  } catch (error) {
    throw error instanceof CaptionError ? new CaptionError('usage_report_query', error.message) : error;
  }
}

const rawQueryOf = (flags: ReportFlags): Record<string, string | undefined> => ({
  from: flags.from,
  to: flags.to,
  last: flags.last,
  room: flags.room,
  names: flags.names === true ? '1' : undefined,
  budget: flags.budget,
  format: formatOf(flags),
});

const formatOf = (flags: ReportFlags): ReportFormat =>
  flags.html !== undefined ? 'html' : flags.csv === true ? 'csv' : 'json';

async function askGateway({ environment, signal }: CommandContext, flags: ReportFlags): Promise<string> {
  const { settings } = environment;
  const base = flags.url ?? ownAddress(settings);
  const given = Object.entries(rawQueryOf(flags)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const token = settings.CAPTION_OPERATOR_TOKEN;
  const address = gatewayAddress(base, 'v1/report', Object.fromEntries(given));
  const request = {
    headers: token === '' ? {} : { Authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
  };
  let response: { readonly ok: boolean; readonly status: number; text(): Promise<string> };
  try {
    // A proxy does not know this machine's own gateway.
    response = await (flags.url === undefined ? fetch(address, request) : outboundFetch(address, request));
  } catch (error) {
    signal.throwIfAborted();
    throw new CaptionError('gateway_unreachable', `No gateway answers at ${base}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  const body = await response.text();
  if (response.ok) return body;
  throw refusal(body, response.status);
}

/** Where a gateway with these settings listens. */
export function ownAddress(settings: Pick<Settings, 'CAPTION_HOST' | 'CAPTION_PORT'>): string {
  const { CAPTION_PORT: port } = settings;
  const host = bareHost(settings.CAPTION_HOST);
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const name = isEverywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function refusal(body: string, status: number): CaptionError {
  try {
    const { code, message } = JSON.parse(body) as { code: string; message: string };
    return new CaptionError(code, message);
  } catch {
    return new CaptionError('gateway_unreachable', `This is no gateway: it answered with HTTP ${status}.`);
  }
}

/** `fetch` hides what went wrong in the cause. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause instanceof Error ? error.cause.message : errorMessage(error);
