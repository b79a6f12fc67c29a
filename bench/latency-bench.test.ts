import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithModel } from '../asr/testing/real-model.js';
import { runLatencyBench } from './latency-bench.js';
import { ingestStage } from './stage.js';

const MANIFEST = fileURLToPath(new URL('../fixtures/speech/manifest.json', import.meta.url));

class Sink extends Writable {
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

describeWithModel('the latency bench', () => {
  it('measures what two people say against what a viewer of the real gateway has', async () => {
    const { result, samples } = await runLatencyBench({
      manifest: MANIFEST,
      speakers: 2,
      seconds: 8,
      warmUpSeconds: 1,
      openStage: () => ingestStage(),
      output: new Sink(),
      signal: new AbortController().signal,
    });
    expect(result.failures).toEqual([]);
    expect(result.wer).toBeLessThan(0.3);
    expect(result.upwr).toBeLessThan(0.2);
    expect(result.wordLatencyMs.count).toBeGreaterThan(15);
    expect(result.finalLatencyMs.count).toBeGreaterThan(0);
    // A word cannot be shown before it is spoken, give or take the error of its label.
    expect(result.wordLatencyMs.p50).toBeGreaterThan(0);
    expect(result.firstPartialMs.p50).toBeGreaterThan(0);
    expect(result.cpuCores).toBeGreaterThan(0);
    expect(result.talkingSpeakers).toBeGreaterThan(0.5);
    expect(result.talkingSpeakers).toBeLessThan(2);
    expect(result.talkingPerCore).toBeCloseTo((result.talkingSpeakers ?? 0) / (result.cpuCores ?? 1), 0);
    expect(result.rssMb).toBeGreaterThan(10);
    expect(result.rssPerStreamMb).toBeGreaterThanOrEqual(0);
    expect(samples.filter(({ metric }) => metric === 'wordLatencyMs')).toHaveLength(
      result.wordLatencyMs.count,
    );
    expect(samples.every(({ value }) => Number.isFinite(value))).toBe(true);
  });
});
