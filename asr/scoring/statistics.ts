/** Percentiles of measurements. */
import { CaptionError } from '../../protocol/index.js';

/**
 * The value below which `p` percent (0 to 100) of the values lie, interpolated linearly between the closest ranks: the default
 * of numpy.percentile. Null without values. The values need no order.
 * @throws CaptionError `percentile_invalid` for a `p` outside 0 to 100, or a value that is not a finite number.
 */
export function percentile(values: readonly number[], p: number): number | null {
  return percentileOfSorted(sortFinite(values), p);
}

export interface Summary {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly count: number;
}

/** The percentiles we report; null and count 0 without values. @throws CaptionError as `percentile` does. */
export function summarise(values: readonly number[]): Summary {
  const sorted = sortFinite(values);
  return {
    p50: percentileOfSorted(sorted, 50),
    p90: percentileOfSorted(sorted, 90),
    p95: percentileOfSorted(sorted, 95),
    p99: percentileOfSorted(sorted, 99),
    count: sorted.length,
  };
}

function sortFinite(values: readonly number[]): Float64Array {
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new CaptionError(
      'percentile_invalid',
      `${wrong} is no measurement; leave out what was not measured.`,
    );
  }
  return Float64Array.from(values).sort();
}

function percentileOfSorted(sorted: Float64Array, p: number): number | null {
  if (!(p >= 0 && p <= 100)) {
    throw new CaptionError('percentile_invalid', `There is no percentile ${p}; use 0 to 100.`);
  }
  const rank = (p / 100) * (sorted.length - 1);
  const lower = sorted[Math.floor(rank)];
  const upper = sorted[Math.ceil(rank)];
  if (lower === undefined || upper === undefined) return null;
  return lower + (upper - lower) * (rank - Math.floor(rank));
}
