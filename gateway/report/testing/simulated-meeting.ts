import type { WordMoments } from '../../../asr/index.js';
import { roomName } from '../../../protocol/index.js';
import { type Stage, STAGES, wordLatency } from '../../latency/word-latency.js';
import { LatencyLedger } from '../latency-ledger.js';
import type { GatewayFacts } from '../report-line.js';
import type { ReportStore } from '../report-store.js';

export const FACTS: GatewayFacts = {
  run: 'run-1',
  startedAtMs: Date.UTC(2026, 10, 25, 13, 59),
  version: '0.1.0',
  model: 'zipformer-en-3.3m',
  precision: 'fp32',
  engine: 'sherpa',
  recognisers: 1,
  cpu: 'Intel(R) Xeon(R) Processor',
  cores: 2,
  memoryGb: 8,
  node: '20.20.0',
};

/** What each stage takes on average. */
const USUAL_MS: Readonly<Record<Stage, number>> = {
  arrival: 24,
  gate: 18,
  lookahead: 300,
  queue: 14,
  decode: 26,
  segment: 0.4,
  publish: 0.6,
  delivery: 9,
};

export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stage: Stage;
  readonly delayMs: number;
}

export interface SimulationOptions {
  readonly store: ReportStore;
  /** Unix time of the first word. */
  readonly fromMs: number;
  readonly minutes: number;
  readonly rooms?: readonly string[];
  readonly stalls?: readonly Stall[];
  /** Words a minute and room. Default 120. */
  readonly wordsPerMinute?: number;
  /** When a recogniser restarts, and a gap is left. */
  readonly restartsAtMs?: readonly number[];
}

/** A ledger on a clock of its own, with words as they come out of the pipeline. */
export class SimulatedMeeting {
  nowMs: number;
  readonly ledger: LatencyLedger;
  readonly #options: SimulationOptions;
  /** Latencies of all words, as they were. */
  readonly latenciesMs: number[] = [];
  #seed = 42;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.nowMs = options.fromMs;
    this.ledger = new LatencyLedger({
      store: options.store,
      facts: FACTS,
      sample: () => ({
        rooms: options.rooms?.length ?? 1,
        speakers: 4,
        utterances: 2,
        viewers: 12,
        longestBacklogMs: 400,
        busyShare: 0.3,
      }),
      now: () => this.nowMs,
    });
  }

  play(): void {
    const { fromMs, minutes, rooms = ['council'], wordsPerMinute = 120, restartsAtMs = [] } = this.#options;
    const intervalMs = 60_000 / wordsPerMinute;
    const endMs = fromMs + minutes * 60_000;
    for (let count = 1; this.nowMs < endMs; count++) {
      for (const [index, room] of rooms.entries()) this.#say(room, index, count);
      const beforeMs = this.nowMs;
      this.nowMs += intervalMs;
      for (const atMs of restartsAtMs) {
        if (atMs <= beforeMs || atMs > this.nowMs) continue;
        this.ledger.restarted();
        this.ledger.gap(roomName(rooms[0] ?? ''), {
          atMs: this.#monotonic,
          durationMs: 2400,
          reason: 'recogniser_failed',
        });
      }
      this.ledger.tick();
    }
  }

  get #monotonic(): number {
    return this.nowMs - performance.timeOrigin;
  }

  #say(name: string, index: number, count: number): void {
    const room = roomName(name);
    const spokenAtMs = this.#monotonic;
    const { stalls = [] } = this.#options;
    let atMs = spokenAtMs;
    const after = (stage: Stage): number => {
      const stall = stalls.find(
        (candidate) =>
          candidate.stage === stage && this.nowMs >= candidate.fromMs && this.nowMs < candidate.toMs,
      );
      atMs += USUAL_MS[stage] * this.#spread() * (1 + index * 0.08) + (stall?.delayMs ?? 0);
      return atMs;
    };
    const [
      arrivedAtMs,
      gatedAtMs,
      fedAtMs,
      queuedAtMs,
      decodedAtMs,
      segmentedAtMs,
      publishedAtMs,
      shownAtMs,
    ] = STAGES.map(after);
    const moments: WordMoments = {
      endSample: 0,
      arrivedAtMs: arrivedAtMs ?? 0,
      gatedAtMs: gatedAtMs ?? 0,
      fedAtMs: fedAtMs ?? 0,
      decodedAtMs: decodedAtMs ?? 0,
      decodeMs: (decodedAtMs ?? 0) - (queuedAtMs ?? 0),
      segmentedAtMs: segmentedAtMs ?? 0,
    };
    const latency = wordLatency({
      spokenAtMs,
      moments,
      publishedAtMs: publishedAtMs ?? 0,
      acknowledgedAtMs: shownAtMs,
    });
    this.latenciesMs.push(latency.totalMs);
    this.ledger.word(room, latency);
    if (count % 9 === 0) {
      this.ledger.final(room, { atMs: spokenAtMs, latencyMs: latency.totalMs + 330 * this.#spread() });
      this.ledger.firstPartial(room, { atMs: spokenAtMs, latencyMs: latency.totalMs + 250 * this.#spread() });
    }
    if (count % 97 === 0) this.ledger.revised(room, 1);
  }

  /** 0.5 to 2, mostly near 1; the same in every run. */
  #spread(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const share = this.#seed / 2_147_483_648;
    return 2 ** ((share - 0.5) * 2 * (share > 0.97 || share < 0.03 ? 1.6 : 0.9));
  }
}
