import { createHash } from 'node:crypto';
import type { RoomName } from '../../protocol/index.js';
import { LatencyTotals } from './latency-totals.js';
import { type GatewayFacts, type GatewayMinute, MINUTE_MS, type ReportLine } from './report-line.js';

/** More steps than this cannot be told apart in a plot. */
const MAX_STEPS = 168;
const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120];

/** One step of the time line. */
export interface WindowStep {
  readonly atMs: number;
  readonly totals: LatencyTotals;
  /** What gateways said of its minutes, by minute and run. */
  readonly minutes: GatewayMinute[];
  /** Minutes in which a gateway ran. */
  readonly runningMinutes: Set<number>;
}

/** What stands for a room where names are not asked for: the same one in every report. */
export const roomLabel = (room: string): string =>
  `room-${createHash('sha256').update(room).digest('hex').slice(0, 8)}`;

/** Adds up lines that lie in a window. */
export class ReportWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly totals = new LatencyTotals();
  readonly rooms = new Map<RoomName, LatencyTotals>();
  readonly steps: WindowStep[];
  unreadableLines = 0;
  readonly #room: string | undefined;
  /** The newest of each run that is not after the window. */
  readonly #facts = new Map<string, GatewayFacts>();
  readonly #runs = new Set<string>();

  /** Whole minutes. `room`: a name or a label; undefined for all. */
  constructor(options: { fromMs: number; toMs: number; room: string | undefined }) {
    this.fromMs = Math.floor(options.fromMs / MINUTE_MS) * MINUTE_MS;
    this.toMs = Math.ceil(options.toMs / MINUTE_MS) * MINUTE_MS;
    this.#room = options.room;
    const minutes = (this.toMs - this.fromMs) / MINUTE_MS;
    const stepMinutes =
      STEPS_MINUTES.find((step) => minutes / step <= MAX_STEPS) ?? Math.ceil(minutes / MAX_STEPS);
    this.stepMs = stepMinutes * MINUTE_MS;
    this.steps = Array.from({ length: Math.ceil(minutes / stepMinutes) }, (_, index) => ({
      atMs: this.fromMs + index * this.stepMs,
      totals: new LatencyTotals(),
      minutes: [],
      runningMinutes: new Set(),
    }));
  }

  add(line: ReportLine): void {
    if (line.atMs >= this.toMs) return;
    if (line.kind === 'gateway') {
      this.#facts.set(line.facts.run, line.facts);
      return;
    }
    const step = this.steps[Math.floor((line.atMs - this.fromMs) / this.stepMs)];
    if (step === undefined) return;
    if (line.kind === 'minute') {
      step.minutes.push(line.minute);
      step.runningMinutes.add(line.atMs);
      this.#runs.add(line.run);
      return;
    }
    if (this.#room !== undefined && this.#room !== line.room && this.#room !== roomLabel(line.room)) return;
    const room = this.rooms.get(line.room) ?? new LatencyTotals();
    this.rooms.set(line.room, room);
    for (const totals of [this.totals, room, step.totals]) totals.merge(line.totals);
  }

  /** Of the gateways that ran in the window, newest first. */
  get gateways(): GatewayFacts[] {
    return [...this.#facts.values()]
      .filter(({ run }) => this.#runs.has(run))
      .sort((a, b) => b.startedAtMs - a.startedAtMs);
  }
}
