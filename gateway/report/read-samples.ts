import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { type Stage } from '../latency/word-latency.js';
import { everyStage, isRecord, LatencyTotals } from './latency-totals.js';

/** The figures of a kept run that are latencies. */
const KIND_OF_METRIC: ReadonlyMap<unknown, string> = new Map([
  ['wordLatencyMs', 'word'],
  ['finalLatencyMs', 'final'],
  ['firstPartialMs', 'firstPartial'],
]);

/**
 * Raw samples as `npm run bench -- latency` keeps them: JSON Lines of `{"metric":"wordLatencyMs"|"finalLatencyMs"|"firstPartialMs",
 * "value":…}`, or of `{"kind":"word"|"final"|"firstPartial","latencyMs":…}`, words perhaps with `stagesMs`. Other lines are left out.
 * Throws CaptionError `usage_samples_invalid`.
 */
export async function readSamples(path: string): Promise<LatencyTotals> {
  const totals = new LatencyTotals();
  let number = 0;
  try {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
    for await (const line of lines) {
      number += 1;
      if (line.trim() !== '') addSample(JSON.parse(line), totals);
    }
  } catch (error) {
    const where = number === 0 ? path : `${path}, line ${number}`;
    throw new CaptionError('usage_samples_invalid', `${where}: ${errorMessage(error)}`, { cause: error });
  }
  const count = totals.words.count + totals.finals.count + totals.firstPartials.count;
  if (count === 0) throw new CaptionError('usage_samples_invalid', `${path} holds no samples of latencies.`);
  return totals;
}

function addSample(sample: unknown, totals: LatencyTotals): void {
  if (!isRecord(sample)) throw new Error('this is no sample');
  const { metric, value, stagesMs } = sample;
  const { kind = KIND_OF_METRIC.get(metric), latencyMs = value } = sample;
  if (kind !== 'word' && kind !== 'final' && kind !== 'firstPartial') return;
  if (typeof latencyMs !== 'number' || !Number.isFinite(latencyMs)) throw new Error('latencyMs is no number');
  // A word that the recogniser guessed before its end is early, not late.
  const ms = Math.max(0, latencyMs);
  switch (kind) {
    case 'word':
      totals.addWord({ spokenAtMs: 0, totalMs: ms, stagesMs: stagesOf(stagesMs), isAcknowledged: true });
      return;
    case 'final':
      totals.finals.add(ms);
      return;
    case 'firstPartial':
      totals.firstPartials.add(ms);
  }
}

function stagesOf(stagesMs: unknown): Record<Stage, number> {
  const given = isRecord(stagesMs) ? stagesMs : {};
  return everyStage((stage) => {
    const ms = given[stage];
    return typeof ms === 'number' && ms >= 0 ? ms : 0;
  });
}
