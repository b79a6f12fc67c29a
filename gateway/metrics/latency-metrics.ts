import { Counter, Histogram, type Registry } from 'prom-client';
import { GAP_REASONS, type GapReason, type RoomName } from '../../protocol/index.js';
import type { LatencyObserver, MeasuredLatency } from '../latency/latency-observer.js';
import { STAGES, type WordLatency } from '../latency/word-latency.js';
import { startAtZero } from './start-at-zero.js';

/** From what nobody notices to what nobody can follow, in seconds. */
const BUCKETS_S = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.5, 2, 3, 5, 10];

/** The latencies of `/metrics`, over all rooms: no label whose values grow with meetings. */
export class LatencyMetrics implements LatencyObserver {
  readonly #words: Histogram;
  readonly #stages: Histogram<'stage'>;
  readonly #finals: Histogram;
  readonly #firstPartials: Histogram;
  readonly #acknowledged: Counter;
  readonly #revised: Counter;
  readonly #gapSeconds: Counter<'reason'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: BUCKETS_S, registers });
    this.#words = histogram(
      'caption_word_latency_seconds',
      'From the end of a word, where the recogniser takes it to be, to its caption; to the report of a viewer where one reports.',
    );
    this.#stages = new Histogram({
      name: 'caption_word_stage_seconds',
      help: 'The same, by stage; the stages of a word add up to its latency.',
      labelNames: ['stage'],
      buckets: BUCKETS_S,
      registers,
    });
    this.#finals = histogram(
      'caption_final_latency_seconds',
      'From the end of a segment’s last word to its final.',
    );
    this.#firstPartials = histogram(
      'caption_first_partial_latency_seconds',
      'From the beginning of a segment’s first word to its first text.',
    );
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#acknowledged = counter(
      'caption_acknowledged_words_total',
      'Words of finals that a viewer reported to have shown.',
    );
    this.#revised = counter(
      'caption_revised_words_total',
      'Words that changed or went after they were shown.',
    );
    this.#gapSeconds = new Counter({
      name: 'caption_gap_seconds_total',
      help: 'Speech that was not captioned, in seconds.',
      labelNames: ['reason'],
      registers,
    });
    startAtZero(this.#gapSeconds, 'reason', GAP_REASONS);
    // A stage that never took any time is there all the same.
    for (const stage of STAGES) this.#stages.zero({ stage });
  }

  word(_room: RoomName, { totalMs, stagesMs, isAcknowledged }: WordLatency): void {
    this.#words.observe(totalMs / 1000);
    for (const stage of STAGES) {
      if (stage !== 'delivery') this.#stages.observe({ stage }, stagesMs[stage] / 1000);
    }
    if (!isAcknowledged) return;
    this.#acknowledged.inc();
    this.#stages.observe({ stage: 'delivery' }, stagesMs.delivery / 1000);
  }

  final(_room: RoomName, { latencyMs }: Pick<MeasuredLatency, 'latencyMs'>): void {
    this.#finals.observe(latencyMs / 1000);
  }

  firstPartial(_room: RoomName, { latencyMs }: Pick<MeasuredLatency, 'latencyMs'>): void {
    this.#firstPartials.observe(latencyMs / 1000);
  }

  revised(_room: RoomName, words: number): void {
    this.#revised.inc(words);
  }

  gap(_room: RoomName, { durationMs, reason }: { durationMs: number; reason: GapReason }): void {
    this.#gapSeconds.inc({ reason }, durationMs / 1000);
  }
}
