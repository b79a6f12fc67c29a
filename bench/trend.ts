/** Whether a figure grows or shrinks over time: a straight line by least squares, with an interval of its slope. */

export interface Trend {
  /** Of the figure, per unit of time. */
  readonly slope: number;
  /** 95 %. Points near in time that are high or low together make it too narrow: give means over a while, not single words. */
  readonly interval: readonly [number, number];
  readonly points: number;
}

/** Two-sided 95 % quantiles of Student's t by degrees of freedom; the last stands for all beyond. */
const STUDENT_T = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
  ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
  ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
] as const;
const NORMAL = 1.96;

/** Null for fewer than three points, or all at one time. */
export function trendOf(points: readonly { readonly at: number; readonly value: number }[]): Trend | null {
  const count = points.length;
  if (count < 3) return null;
  const meanAt = points.reduce((sum, { at }) => sum + at, 0) / count;
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / count;
  const spread = points.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  if (spread === 0) return null;
  const slope = points.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0) / spread;
  const residual = points.reduce(
    (sum, { at, value }) => sum + (value - meanValue - slope * (at - meanAt)) ** 2,
    0,
  );
  const error = Math.sqrt(residual / (count - 2) / spread);
  const margin = (STUDENT_T[count - 3] ?? NORMAL) * error;
  return { slope, interval: [slope - margin, slope + margin], points: count };
}
