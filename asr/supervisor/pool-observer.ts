import type { PoolHealthState } from './pool-health.js';
import type { ChildDown, ChildReady } from './supervised-child.js';

/** Watches what happens; every call is cheap. For metrics and logs. */
export interface PoolObserver {
  childReady?(info: ChildReady & { child: number }): void;
  childDown?(info: ChildDown & { child: number; utterances: number }): void;
  /** `audioMs`: how much audio of all speakers the call got further by. */
  decodeCall?(info: { child: number; callMs: number; batchSize: number; audioMs: number }): void;
  utteranceFailed?(): void;
  healthChanged?(health: PoolHealthState): void;
}
