import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CaptionError } from '../../protocol/index.js';
import { createLogger } from '../log.js';
import { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { TextSink } from '../testing/test-gateway.js';
import { RefusalLog } from './refusal-log.js';

describe('refusals', () => {
  let sink: TextSink;
  let metrics: GatewayMetrics;
  let refusals: RefusalLog;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    sink = new TextSink();
    metrics = new GatewayMetrics();
    refusals = new RefusalLog(metrics, createLogger('info', sink));
  });
  afterEach(() => {
    refusals.close();
    vi.useRealTimers();
  });

  const lines = (): { code: string; unlogged: number }[] =>
    sink.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { code: string; unlogged: number });
  const refuse = (code: string): void => refusals.refused(new CaptionError(code, 'No.'), '/v1/rooms');

  it('are one line a second, which tells how many have none, and all are counted', async () => {
    for (let index = 0; index < 500; index++) refuse('unauthorised');
    refuse('forbidden');
    expect(lines()).toMatchObject([{ code: 'unauthorised', unlogged: 0 }]);
    vi.advanceTimersByTime(1000);
    expect(lines().slice(1)).toMatchObject([{ code: 'forbidden', unlogged: 499 }]);
    vi.advanceTimersByTime(10_000);
    expect(lines()).toHaveLength(2);
    refuse('forbidden');
    expect(lines().slice(2)).toMatchObject([{ code: 'forbidden', unlogged: 0 }]);
    expect(await metrics.registry.metrics()).toContain('{code="unauthorised"} 500');
  });

  it('say why when it was the gateway that failed', () => {
    refuse('unauthorised');
    refusals.refused(
      new CaptionError('internal_error', 'The gateway failed.', { cause: new Error('the disk is gone') }),
      '/v1/rooms',
    );
    expect(sink.text).toContain('the disk is gone');
  });
});
