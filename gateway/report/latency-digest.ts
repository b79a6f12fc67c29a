/**
 * How often which latency occurred, in little room: exact to a millisecond below 256 ms, to 0.8 % above, sparse. Digests of
 * minutes, rooms and stages can be added up, which percentiles cannot. (An HdrHistogram has the same scale; its dense arrays
 * would take a hundred times the memory for the few hundred words that a room says in a minute.)
 */

/** Below it a bucket is one millisecond wide; from it on there are 128 of them to each doubling. */
const LINEAR_BELOW_MS = 256;
const LINEAR_BITS = 8;
const BUCKETS_PER_DOUBLING = 128;
/** Four hours: what is later is counted as this. */
const MAX_MS = 2 ** 24 - 1;

/** `[sum, smallest, largest, distance to the next bucket, count in it, …]`, in milliseconds; `[]` without values. */
export type EncodedDigest = readonly number[];

export interface DigestBucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

export class LatencyDigest {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  /** Null without values. */
  get meanMs(): number | null {
    return this.#count === 0 ? null : this.#sumMs / this.#count;
  }

  get maxMs(): number | null {
    return this.#count === 0 ? null : this.#maxMs;
  }

  /** What is no number is left out; what is negative counts as 0. */
  add(valueMs: number): void {
    if (Number.isNaN(valueMs)) return;
    const ms = Math.min(Math.max(valueMs, 0), MAX_MS);
    this.#count += 1;
    this.#sumMs += ms;
    if (ms < this.#minMs) this.#minMs = ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
    this.#addTo(bucketOf(ms), 1);
  }

  merge(other: LatencyDigest): void {
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#minMs = Math.min(this.#minMs, other.#minMs);
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
    for (const [bucket, count] of other.#counts) this.#addTo(bucket, count);
  }

  /** Ascending. */
  buckets(): DigestBucket[] {
    return [...this.#counts]
      .sort(([a], [b]) => a - b)
      .map(([bucket, count]) => ({ ...boundsOf(bucket), count }));
  }

  /**
   * As `percentile` of `asr/scoring` has it (linear between the closest ranks), as far as buckets tell where in them a value
   * lies. Null without values. `p` from 0 to 100.
   */
  percentile(p: number): number | null {
    if (this.#count === 0) return null;
    const rank = (p / 100) * (this.#count - 1);
    const lower = this.#valueAt(Math.floor(rank));
    const upper = this.#valueAt(Math.ceil(rank));
    return lower + (upper - lower) * (rank - Math.floor(rank));
  }

  /** Share of the values that are at most `ms`, 0 to 1. Null without values. */
  shareWithin(ms: number): number | null {
    if (this.#count === 0) return null;
    let within = 0;
    for (const [bucket, count] of this.#counts) {
      const { fromMs, toMs } = boundsOf(bucket);
      within += count * Math.min(1, Math.max(0, (ms - fromMs) / (toMs - fromMs)));
    }
    return within / this.#count;
  }

  encode(): EncodedDigest {
    if (this.#count === 0) return [];
    const encoded = [this.#sumMs, this.#minMs, this.#maxMs].map((ms) => Math.round(ms * 10) / 10);
    let before = 0;
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      encoded.push(bucket - before, count);
      before = bucket;
    }
    return encoded;
  }

  /** Undefined for what is none. */
  static decode(encoded: unknown): LatencyDigest | undefined {
    if (!Array.isArray(encoded) || !encoded.every(isAmount)) return undefined;
    const digest = new LatencyDigest();
    if (encoded.length === 0) return digest;
    const [sumMs, minMs, maxMs, ...pairs] = encoded;
    if (sumMs === undefined || minMs === undefined || maxMs === undefined) return undefined;
    if (pairs.length === 0 || pairs.length % 2 === 1) return undefined;
    digest.#sumMs = sumMs;
    digest.#minMs = minMs;
    digest.#maxMs = maxMs;
    let bucket = 0;
    for (let at = 0; at < pairs.length; at += 2) {
      const count = pairs[at + 1] ?? 0;
      bucket += pairs[at] ?? 0;
      digest.#count += count;
      digest.#addTo(bucket, count);
    }
    return digest;
  }

  /** Of the value of that rank, from 0: values are taken to lie evenly in their bucket. */
  #valueAt(rank: number): number {
    if (rank === 0) return this.#minMs;
    if (rank === this.#count - 1) return this.#maxMs;
    let before = 0;
    for (const { fromMs, toMs, count } of this.buckets()) {
      if (rank < before + count) {
        const value = fromMs + ((rank - before + 0.5) / count) * (toMs - fromMs);
        return Math.min(Math.max(value, this.#minMs), this.#maxMs);
      }
      before += count;
    }
    return this.#maxMs;
  }

  #addTo(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }
}

function bucketOf(ms: number): number {
  const whole = Math.floor(ms);
  if (whole < LINEAR_BELOW_MS) return whole;
  const doublings = 31 - Math.clz32(whole) - LINEAR_BITS;
  const bucketMs = 2 ** (doublings + 1);
  const inDoubling = Math.floor(whole / bucketMs) - BUCKETS_PER_DOUBLING;
  return LINEAR_BELOW_MS + doublings * BUCKETS_PER_DOUBLING + inDoubling;
}

function boundsOf(bucket: number): { fromMs: number; toMs: number } {
  if (bucket < LINEAR_BELOW_MS) return { fromMs: bucket, toMs: bucket + 1 };
  const doublings = Math.floor((bucket - LINEAR_BELOW_MS) / BUCKETS_PER_DOUBLING);
  const bucketMs = 2 ** (doublings + 1);
  const fromMs = (BUCKETS_PER_DOUBLING + ((bucket - LINEAR_BELOW_MS) % BUCKETS_PER_DOUBLING)) * bucketMs;
  return { fromMs, toMs: fromMs + bucketMs };
}

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;
