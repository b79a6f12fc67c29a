import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { roomName } from '../../protocol/index.js';
import { STAGES } from '../latency/word-latency.js';
import { GatewayMetrics } from './gateway-metrics.js';
import { LatencyMetrics } from './latency-metrics.js';
import { LiveKitMetrics } from './livekit-metrics.js';

it('tells latencies in seconds and by stage, and names no room', async () => {
  const registry = new Registry();
  const metrics = new LatencyMetrics(registry);
  const room = roomName('secret-council');
  const stagesMs = {
    arrival: 30,
    gate: 0,
    lookahead: 300,
    queue: 20,
    decode: 20,
    segment: 0,
    publish: 1,
    delivery: 0,
  };
  metrics.word(room, { spokenAtMs: 0, stagesMs, totalMs: 371, isAcknowledged: false });
  metrics.final(room, { latencyMs: 800 });
  metrics.firstPartial(room, { latencyMs: 500 });
  metrics.revised(room, 2);
  metrics.gap(room, { durationMs: 1500, reason: 'overloaded' });
  const text = await registry.metrics();
  expect(text).toContain('caption_word_latency_seconds_sum 0.371');
  expect(text).toContain('caption_word_stage_seconds_sum{stage="lookahead"} 0.3');
  expect(text).toContain('caption_word_stage_seconds_count{stage="delivery"} 0');
  for (const stage of STAGES) expect(text).toContain(`stage="${stage}"`);
  expect(text).toContain('caption_final_latency_seconds_sum 0.8');
  expect(text).toContain('caption_revised_words_total 2');
  expect(text).toContain('caption_gap_seconds_total{reason="overloaded"} 1.5');
  expect(text).not.toContain('secret');
});

it('has series at 0 before their first event, which Prometheus would not see otherwise', async () => {
  const gateway = new GatewayMetrics();
  new LiveKitMetrics(gateway.registry);
  const text = await gateway.registry.metrics();
  for (const series of [
    'caption_gap_seconds_total{reason="overloaded"}',
    'caption_gaps_total{reason="recogniser_failed"}',
    'caption_recogniser_restarts_total{cause="hung"}',
    'caption_webhook_attempts_total{outcome="failed"}',
    'caption_livekit_road_events_total{road="captions",event="lost"}',
  ])
    expect(text).toContain(`${series} 0\n`);
});
