import { randomUUID } from 'node:crypto';
import { cpus, totalmem } from 'node:os';
import { defaultChildren, type InstalledModel } from '../../asr/index.js';
import { errorMessage } from '../../protocol/index.js';
import type { Settings } from '../config/settings.js';
import type { Logger } from '../log.js';
import { epochOfMonotonic, wallClockMs } from '../clock.js';
import { VERSION } from '../version.js';
import { type GatewaySample, LatencyLedger } from './latency-ledger.js';
import { ReportRenderer } from './render-in-thread.js';
import { ReportFiles } from './report-files.js';
import type { GatewayFacts } from './report-line.js';
import type { ReportQuery } from './report-query.js';
import { ReportMemory, type ReportStore } from './report-store.js';

/** In memory: about a day of ten rooms. */
const MAX_MEMORY_CHARS = 8 * 1024 * 1024;
const MB = 1_048_576;

/** What is measured is kept, and can be asked about. */
export interface LatencyReport {
  readonly ledger: LatencyLedger;
  /** Throws what `ReportRenderer.render` throws. */
  render(query: ReportQuery): Promise<string>;
  /** Keeps what was measured in the minute that is not over. Idempotent. */
  close(): Promise<void>;
}

/** Undefined with CAPTION_REPORT=off. A folder that cannot be used is told in the log: captions do not depend on it. */
export async function startReport(options: {
  readonly settings: Settings;
  readonly model: Pick<InstalledModel, 'id' | 'precision'>;
  readonly log: Logger;
  readonly sample: () => GatewaySample;
  /** Lines that were not kept. */
  readonly lost: (lines: number) => void;
}): Promise<LatencyReport | undefined> {
  const { settings, model, sample } = options;
  if (settings.CAPTION_REPORT === 'off') return undefined;
  const store = await openStore(options);
  const renderer = new ReportRenderer();
  const ledger = new LatencyLedger({ store, facts: factsOf(settings, model), sample, now: wallClockMs });
  return {
    ledger,
    async render(query) {
      const source = await store.source();
      const lines = [...source.lines, ...ledger.openLines()];
      return renderer.render({ kind: 'gateway', source: { ...source, lines }, query, nowMs: wallClockMs() });
    },
    async close() {
      ledger.close();
      await store.close();
    },
  };
}

async function openStore(options: {
  readonly settings: Settings;
  readonly log: Logger;
  readonly lost: (lines: number) => void;
}): Promise<ReportStore> {
  const { settings, log, lost } = options;
  if (settings.CAPTION_REPORT === 'disk') {
    const dir = settings.CAPTION_REPORT_DIR;
    try {
      const maxBytes = settings.CAPTION_REPORT_MAX_MB * MB;
      return await ReportFiles.open({ dir, maxBytes, log, lost, now: wallClockMs });
    } catch (error) {
      log.warn({ dir, error: errorMessage(error) }, 'latency report is kept in memory only');
    }
  }
  return new ReportMemory({ maxChars: MAX_MEMORY_CHARS });
}

function factsOf(settings: Settings, model: Pick<InstalledModel, 'id' | 'precision'>): GatewayFacts {
  return {
    run: randomUUID(),
    startedAtMs: Math.round(epochOfMonotonic(0)),
    version: VERSION,
    model: model.id,
    precision: model.precision,
    engine: settings.CAPTION_ENGINE,
    recognisers: settings.CAPTION_RECOGNISERS || defaultChildren(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
  };
}
