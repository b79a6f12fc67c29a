import type { Counter } from 'prom-client';
import type { ChildDown } from '../../asr/index.js';

export const RESTART_CAUSES = Object.keys({
  exit: 0,
  not_ready: 0,
  hung: 0,
  flood: 0,
  protocol_violation: 0,
  version_mismatch: 0,
} satisfies Record<ChildDown['cause'], 0>);

/**
 * Prometheus sees an increase between two values only: of a series that begins with the first event, that event is never seen, and
 * the alert on it does not fire. So those whose values are known begin at 0.
 */
export function startAtZero<Label extends string>(
  counter: Counter<Label>,
  label: Label,
  values: readonly string[],
): void {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
}
