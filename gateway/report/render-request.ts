/** What the report's own thread is asked for, and what it gives. */
import { buildReport, buildSamplesReport } from './build-report.js';
import { reportPage } from './html/report-page.js';
import { readReport } from './read-report.js';
import { readSamples } from './read-samples.js';
import { reportCsv } from './report-csv.js';
import type { ReportData } from './report-data.js';
import type { ReportFormat, ReportQuery } from './report-query.js';
import type { ReportSource } from './report-store.js';
import { ReportWindow } from './report-window.js';

export type RenderRequest =
  | {
      readonly kind: 'gateway';
      readonly source: ReportSource;
      readonly query: ReportQuery;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'samples';
      readonly path: string;
      readonly query: Pick<ReportQuery, 'budget' | 'format'>;
      readonly nowMs: number;
    };

export const CONTENT_TYPES: Readonly<Record<ReportFormat, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};

/** Throws CaptionError `usage_samples_invalid`, and the system's error for a folder that cannot be read. */
export async function render(request: RenderRequest): Promise<string> {
  return format(await dataOf(request), request.query.format);
}

async function dataOf(request: RenderRequest): Promise<ReportData> {
  const { nowMs } = request;
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  switch (request.kind) {
    case 'gateway': {
      const window = new ReportWindow(request.query);
      await readReport(request.source, window);
      return buildReport(window, { ...request.query, nowMs, timeZone });
    }
    case 'samples':
      return buildSamplesReport(await readSamples(request.path), { ...request.query, nowMs, timeZone });
  }
}

function format(data: ReportData, wanted: ReportFormat): string {
  switch (wanted) {
    case 'html':
      return reportPage(data);
    case 'json':
      return `${JSON.stringify(data, null, 2)}\n`;
    case 'csv':
      return reportCsv(data);
  }
}
