import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { reportFilesIn } from './report-files.js';
import { decodeReportLine } from './report-line.js';
import type { ReportSource } from './report-store.js';
import type { ReportWindow } from './report-window.js';

const HOUR_MS = 3_600_000;
/** Words that are ready after their hour stand in the file of the hour in which they were. */
const LATE_MS = HOUR_MS;

/** Reads what lies in the window, file by file. Rejects with the system's error when the folder cannot be read. */
export async function readReport(source: ReportSource, window: ReportWindow): Promise<void> {
  if (source.kind === 'folder') {
    for (const { name, hourMs } of await reportFilesIn(source.dir)) {
      if (hourMs + HOUR_MS <= window.fromMs || hourMs > window.toMs + LATE_MS) continue;
      const lines = createInterface({ input: createReadStream(join(source.dir, name)), crlfDelay: Infinity });
      for await (const line of lines) addLine(line, window);
    }
  }
  for (const line of source.lines) addLine(line, window);
}

function addLine(text: string, window: ReportWindow): void {
  if (text.trim() === '') return;
  const line = decodeReportLine(text);
  if (line === undefined) window.unreadableLines += 1;
  else window.add(line);
}
