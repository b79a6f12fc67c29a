/** How long to wait before the next start of a child that ended by itself. */
export interface BackoffPolicy {
  /** Wait before the second restart in a row; doubles with each further one. The first restart is immediate. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A child that was ready for this long counts as healthy: the next restart is immediate again. */
  readonly healthyAfterMs: number;
}

export const DEFAULT_BACKOFF: BackoffPolicy = {
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  healthyAfterMs: 3000,
};

/** `failuresInARow` counts the ends since the child was last healthy: 1 for the first. */
export function restartDelayMs(policy: BackoffPolicy, failuresInARow: number): number {
  if (failuresInARow <= 1) return 0;
  return Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failuresInARow - 2));
}
