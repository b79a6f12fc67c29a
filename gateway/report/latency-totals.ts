import { type Stage, STAGES, type WordLatency } from '../latency/word-latency.js';
import { type EncodedDigest, LatencyDigest } from './latency-digest.js';

/** Words of about the same latency, and where their time went. */
export interface LatencyClass {
  readonly fromMs: number;
  words: number;
  readonly stageSumsMs: Record<Stage, number>;
}

/** Speech that got no caption, for one reason. */
export interface GapTotal {
  count: number;
  durationMs: number;
}

/** How late captions were, over some time and some rooms. Totals can be added up. No text and no names. */
export class LatencyTotals {
  readonly words = new LatencyDigest();
  /** Words on which a viewer reported. */
  acknowledged = 0;
  readonly stages: Readonly<Record<Stage, LatencyDigest>> = everyStage(() => new LatencyDigest());
  readonly finals = new LatencyDigest();
  readonly firstPartials = new LatencyDigest();
  /** Words that were shown and then changed or went. */
  revised = 0;
  readonly gaps = new Map<string, GapTotal>();
  /** By quarter doublings of the latency, so that it can be told where the slow words lost their time. */
  readonly #classes = new Map<number, LatencyClass>();

  addWord({ totalMs, stagesMs, isAcknowledged }: WordLatency): void {
    this.words.add(totalMs);
    const { stageSumsMs } = this.#countIn(classOf(totalMs), 1);
    if (isAcknowledged) this.acknowledged += 1;
    for (const stage of STAGES) {
      stageSumsMs[stage] += stagesMs[stage];
      if (stage !== 'delivery' || isAcknowledged) this.stages[stage].add(stagesMs[stage]);
    }
  }

  addGap(reason: string, durationMs: number, count = 1): void {
    const gap = this.gaps.get(reason) ?? { count: 0, durationMs: 0 };
    gap.count += count;
    gap.durationMs += durationMs;
    this.gaps.set(reason, gap);
  }

  merge(other: LatencyTotals): void {
    this.words.merge(other.words);
    this.acknowledged += other.acknowledged;
    for (const stage of STAGES) this.stages[stage].merge(other.stages[stage]);
    this.finals.merge(other.finals);
    this.firstPartials.merge(other.firstPartials);
    this.revised += other.revised;
    for (const [reason, { count, durationMs }] of other.gaps) this.addGap(reason, durationMs, count);
    for (const [index, { words, stageSumsMs }] of other.#classes) {
      const own = this.#countIn(index, words);
      for (const stage of STAGES) own.stageSumsMs[stage] += stageSumsMs[stage];
    }
  }

  /** Slowest first. */
  get classes(): readonly LatencyClass[] {
    return [...this.#classes].sort(([a], [b]) => b - a).map(([, latencyClass]) => latencyClass);
  }

  /** What a word spent in each stage, on average: the stages add up to the mean latency. Null without words. */
  meanStagesMs(classes = this.classes): Readonly<Record<Stage, number>> | null {
    const words = classes.reduce((sum, latencyClass) => sum + latencyClass.words, 0);
    if (words === 0) return null;
    return everyStage(
      (stage) => classes.reduce((sum, { stageSumsMs }) => sum + stageSumsMs[stage], 0) / words,
    );
  }

  encode(): EncodedTotals {
    return {
      words: this.words.encode(),
      acknowledged: this.acknowledged,
      stages: everyStage((stage) => this.stages[stage].encode()),
      classes: [...this.#classes].map(([index, { words, stageSumsMs }]) => [
        index,
        words,
        ...STAGES.map((stage) => Math.round(stageSumsMs[stage])),
      ]),
      finals: this.finals.encode(),
      firstPartials: this.firstPartials.encode(),
      revised: this.revised,
      gaps: [...this.gaps].map(([reason, { count, durationMs }]) => [reason, count, Math.round(durationMs)]),
    };
  }

  /** Undefined for what is none. */
  static decode(encoded: unknown): LatencyTotals | undefined {
    if (!isRecord(encoded)) return undefined;
    const totals = new LatencyTotals();
    const { stages, classes, gaps } = encoded;
    const mergeAll = (into: LatencyDigest, from: unknown): boolean => {
      const digest = LatencyDigest.decode(from);
      if (digest !== undefined) into.merge(digest);
      return digest !== undefined;
    };
    const isWhole =
      mergeAll(totals.words, encoded['words']) &&
      mergeAll(totals.finals, encoded['finals']) &&
      mergeAll(totals.firstPartials, encoded['firstPartials']) &&
      isRecord(stages) &&
      STAGES.every((stage) => mergeAll(totals.stages[stage], stages[stage])) &&
      Array.isArray(classes) &&
      classes.every((row) => totals.#decodeClass(row)) &&
      Array.isArray(gaps) &&
      gaps.every((row) => totals.#decodeGap(row));
    if (!isWhole) return undefined;
    totals.acknowledged = amountOf(encoded['acknowledged']);
    totals.revised = amountOf(encoded['revised']);
    return totals;
  }

  #decodeClass(row: unknown): boolean {
    if (!Array.isArray(row) || !row.every((value) => typeof value === 'number')) return false;
    const [index, words, ...sums] = row;
    if (index === undefined || words === undefined) return false;
    const own = this.#countIn(index, words);
    for (const [at, stage] of STAGES.entries()) own.stageSumsMs[stage] += sums[at] ?? 0;
    return true;
  }

  #decodeGap(row: unknown): boolean {
    if (!Array.isArray(row) || typeof row[0] !== 'string') return false;
    this.addGap(row[0], amountOf(row[2]), amountOf(row[1]));
    return true;
  }

  #countIn(index: number, words: number): LatencyClass {
    const known = this.#classes.get(index);
    if (known !== undefined) {
      known.words += words;
      return known;
    }
    const added = { fromMs: 2 ** (index / CLASSES_PER_DOUBLING), words, stageSumsMs: everyStage(() => 0) };
    this.#classes.set(index, added);
    return added;
  }
}

export interface EncodedTotals {
  readonly words: EncodedDigest;
  readonly acknowledged: number;
  readonly stages: Readonly<Record<Stage, EncodedDigest>>;
  /** `[class, words, sum of each stage…]` */
  readonly classes: readonly (readonly number[])[];
  readonly finals: EncodedDigest;
  readonly firstPartials: EncodedDigest;
  readonly revised: number;
  /** `[reason, count, milliseconds]` */
  readonly gaps: readonly (readonly [string, number, number])[];
}

const CLASSES_PER_DOUBLING = 4;
const classOf = (ms: number): number => Math.floor(CLASSES_PER_DOUBLING * Math.log2(Math.max(1, ms)));

export function everyStage<Value>(value: (stage: Stage) => Value): Record<Stage, Value> {
  return {
    arrival: value('arrival'),
    gate: value('gate'),
    lookahead: value('lookahead'),
    queue: value('queue'),
    decode: value('decode'),
    segment: value('segment'),
    publish: value('publish'),
    delivery: value('delivery'),
  };
}

const amountOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
