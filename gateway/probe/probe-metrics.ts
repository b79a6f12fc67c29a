import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PROBE_OUTCOMES, type ProbeResult } from './prober.js';

/** As the gateway's own latencies have them, so that both can be compared. */
const BUCKETS_S = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.5, 2, 3, 5, 10];

/** What the probe exports for Prometheus. Availability is the share of `ok` among the rounds. */
export class ProbeMetrics {
  readonly registry = new Registry();
  readonly #rounds: Counter<'outcome'>;
  readonly #up: Gauge;
  readonly #lastOk: Gauge;
  readonly #lastRound: Gauge;
  readonly #words: Histogram;
  readonly #finals: Histogram;
  readonly #joins: Histogram;
  readonly #spoken: Counter;
  readonly #errors: Counter;
  readonly #wer: Gauge;

  constructor() {
    const registers = [this.registry];
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    const histogram = (name: string, help: string, buckets = BUCKETS_S): Histogram =>
      new Histogram({ name, help, buckets, registers });
    this.#rounds = new Counter({
      name: 'caption_probe_rounds_total',
      help: 'Sentences that the probe said, by how it went.',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of PROBE_OUTCOMES) this.#rounds.inc({ outcome }, 0);
    this.#up = gauge('caption_probe_up', '1 when the last sentence was captioned as it should be, else 0.');
    this.#lastOk = gauge(
      'caption_probe_last_ok_timestamp_seconds',
      'When a sentence last was, Unix time; 0 for never.',
    );
    this.#lastRound = gauge(
      'caption_probe_last_round_timestamp_seconds',
      'When the last round ended, Unix time.',
    );
    this.#words = histogram(
      'caption_probe_word_latency_seconds',
      'From the end of a word to the viewer’s reducer.',
    );
    this.#finals = histogram(
      'caption_probe_final_latency_seconds',
      'From the end of a sentence to its final.',
    );
    this.#joins = histogram(
      'caption_probe_join_seconds',
      'From joining to a captioned room.',
      [0.1, 0.25, 0.5, 1, 2, 5, 10, 20],
    );
    this.#spoken = counter('caption_probe_words_total', 'Words said.');
    this.#errors = counter('caption_probe_word_errors_total', 'Words missing, wrong or too many.');
    this.#wer = gauge(
      'caption_probe_word_error_ratio',
      'Errors for each word of the last sentence that was captioned.',
    );
  }

  record(result: ProbeResult, nowMs: number): void {
    const { outcome, wordLatenciesMs, finalLatencyMs, joinMs, spokenWords, wordErrors } = result;
    this.#rounds.inc({ outcome });
    this.#up.set(outcome === 'ok' ? 1 : 0);
    this.#lastRound.set(nowMs / 1000);
    if (outcome === 'ok') this.#lastOk.set(nowMs / 1000);
    for (const latencyMs of wordLatenciesMs) this.#words.observe(Math.max(0, latencyMs) / 1000);
    if (finalLatencyMs !== null) this.#finals.observe(Math.max(0, finalLatencyMs) / 1000);
    if (joinMs !== null) this.#joins.observe(joinMs / 1000);
    if (spokenWords === 0) return;
    this.#spoken.inc(spokenWords);
    this.#errors.inc(wordErrors);
    this.#wer.set(wordErrors / spokenWords);
  }
}
