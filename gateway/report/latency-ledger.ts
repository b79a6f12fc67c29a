import type { RoomName } from '../../protocol/index.js';
import type { LatencyObserver, MeasuredLatency } from '../latency/latency-observer.js';
import type { WordLatency } from '../latency/word-latency.js';
import { LatencyTotals } from './latency-totals.js';
import {
  encodeReportLine,
  type GatewayFacts,
  type GatewayMinute,
  MINUTE_MS,
  type ReportLine,
} from './report-line.js';
import type { ReportStore } from './report-store.js';
import { epochOfMonotonic } from '../clock.js';

const SAMPLE_INTERVAL_MS = 5000;
/** Minutes of rooms that are being counted: a minute of more rooms than a gateway may have, with what comes late. */
const MAX_OPEN_CELLS = 20_000;
/** A word is not older than what recognition may be behind, or somebody's clock is wrong. */
const MAX_AGE_MS = 600_000;

/** What is sampled every five seconds. */
export type GatewaySample = Pick<
  GatewayMinute,
  'rooms' | 'speakers' | 'utterances' | 'viewers' | 'longestBacklogMs' | 'busyShare'
>;

export interface LatencyLedgerOptions {
  readonly store: ReportStore;
  readonly facts: GatewayFacts;
  readonly sample: () => GatewaySample;
  /** Unix time that never steps back within this process. */
  readonly now: () => number;
  /** Unix time of a moment of the monotonic clock. Default: by the process's clock. */
  readonly epochOf?: (monotonicMs: number) => number;
}

/**
 * Keeps what is measured: totals by minute and room, handed to the store when the minute is over. A word counts in the minute
 * in which it was spoken; what comes after that minute was handed over is a further line of it. So a process that is killed
 * costs what it measured in the minute that was not over. `close` hands over the rest.
 */
export class LatencyLedger implements LatencyObserver {
  readonly #options: LatencyLedgerOptions;
  /** Open minutes, by minute and room. */
  #cells = new Map<number, Map<RoomName, LatencyTotals>>();
  #cellCount = 0;
  #minuteMs: number;
  #minute = NO_MINUTE;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LatencyLedgerOptions) {
    this.#options = options;
    this.#minuteMs = minuteOf(options.now());
    options.store.append([encodeReportLine(this.#factsLine())], this.#minuteMs);
    this.#timer = setInterval(() => this.tick(), SAMPLE_INTERVAL_MS);
    this.#timer.unref();
  }

  word(room: RoomName, latency: WordLatency): void {
    this.#cell(room, latency.spokenAtMs)?.addWord(latency);
  }

  final(room: RoomName, { atMs, latencyMs }: MeasuredLatency): void {
    this.#cell(room, atMs)?.finals.add(latencyMs);
  }

  firstPartial(room: RoomName, { atMs, latencyMs }: MeasuredLatency): void {
    this.#cell(room, atMs)?.firstPartials.add(latencyMs);
  }

  revised(room: RoomName, words: number): void {
    const cell = this.#cell(room);
    if (cell !== undefined) cell.revised += words;
  }

  gap(room: RoomName, gap: { atMs: number; durationMs: number; reason: string }): void {
    this.#cell(room, gap.atMs)?.addGap(gap.reason, gap.durationMs);
  }

  /** A recogniser process ended by itself. */
  restarted(): void {
    this.#minute = { ...this.#minute, restarts: this.#minute.restarts + 1 };
  }

  utteranceFailed(): void {
    this.#minute = { ...this.#minute, failedUtterances: this.#minute.failedUtterances + 1 };
  }

  /** What the store has not been given yet: for a report of the moment. */
  openLines(): string[] {
    return this.#lines().map(encodeReportLine);
  }

  /** Looks how the gateway does, and hands over minutes that are over. Called by its own timer, and by tests. */
  tick(): void {
    const minuteMs = minuteOf(this.#options.now());
    if (minuteMs > this.#minuteMs) this.#handOver(minuteMs);
    const sample = this.#options.sample();
    const highest = (key: keyof GatewaySample): number => Math.max(this.#minute[key], sample[key]);
    this.#minute = {
      ...this.#minute,
      rooms: highest('rooms'),
      speakers: highest('speakers'),
      utterances: highest('utterances'),
      viewers: highest('viewers'),
      longestBacklogMs: highest('longestBacklogMs'),
      busyShare: highest('busyShare'),
    };
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    if (this.#minute !== NO_MINUTE || this.#cellCount > 0) this.#handOver(this.#minuteMs);
  }

  #handOver(nextMinuteMs: number): void {
    const { store } = this.#options;
    const lines = this.openLines();
    if (store.begins(this.#minuteMs)) lines.unshift(encodeReportLine(this.#factsLine()));
    store.append(lines, this.#minuteMs);
    this.#cells = new Map();
    this.#cellCount = 0;
    this.#minute = NO_MINUTE;
    this.#minuteMs = nextMinuteMs;
  }

  #lines(): ReportLine[] {
    const { run } = this.#options.facts;
    const rooms = [...this.#cells].flatMap(([atMs, cells]) =>
      [...cells].map(([room, totals]): ReportLine => ({ kind: 'room', atMs, room, totals })),
    );
    return [{ kind: 'minute', atMs: this.#minuteMs, run, minute: this.#minute }, ...rooms];
  }

  #factsLine(): ReportLine {
    return { kind: 'gateway', atMs: this.#minuteMs, facts: this.#options.facts };
  }

  /** `atMs`: monotonic milliseconds of this process; default now. Undefined above the bound, which a thousand rooms do not reach. */
  #cell(room: RoomName, atMs?: number): LatencyTotals | undefined {
    const { now, epochOf = epochOfMonotonic } = this.#options;
    const nowMs = now();
    const minuteMs = minuteOf(
      atMs === undefined ? nowMs : Math.min(nowMs, Math.max(epochOf(atMs), nowMs - MAX_AGE_MS)),
    );
    const cells = this.#cells.get(minuteMs) ?? new Map<RoomName, LatencyTotals>();
    this.#cells.set(minuteMs, cells);
    const known = cells.get(room);
    if (known !== undefined || this.#cellCount >= MAX_OPEN_CELLS) return known;
    const added = new LatencyTotals();
    cells.set(room, added);
    this.#cellCount += 1;
    return added;
  }
}

const NO_MINUTE: GatewayMinute = {
  rooms: 0,
  speakers: 0,
  utterances: 0,
  viewers: 0,
  longestBacklogMs: 0,
  busyShare: 0,
  restarts: 0,
  failedUtterances: 0,
};

const minuteOf = (epochMs: number): number => Math.floor(epochMs / MINUTE_MS) * MINUTE_MS;
