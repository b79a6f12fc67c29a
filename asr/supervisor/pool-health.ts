import type { CaptionServiceState } from '../../protocol/index.js';
import type { ChildState } from './supervised-child.js';

/** Without any ready child for so long, captions are not merely late. */
const UNAVAILABLE_AFTER_MS = 5000;

export interface PoolHealthState {
  readonly state: CaptionServiceState;
  /** For a person; empty when live. */
  readonly reason: string;
  /** What `reason` says, for programs that say it in another language. */
  readonly code?: 'recognition_restarting' | 'recognition_late' | 'recognition_down';
}

const LIVE: PoolHealthState = { state: 'live', reason: '' };
const RESTARTING: PoolHealthState = {
  state: 'degraded',
  reason: 'Speech recognition restarted; captions are catching up.',
  code: 'recognition_restarting',
};
const LATE: PoolHealthState = {
  state: 'degraded',
  reason: 'Captions come some seconds late: there is more speech than this machine can follow.',
  code: 'recognition_late',
};
const UNAVAILABLE: PoolHealthState = {
  state: 'unavailable',
  reason: 'Speech recognition is not running; captions continue when it is back.',
  code: 'recognition_down',
};

/** Turns the states of the children into one word for viewers, and reports when it changes. */
export class PoolHealth {
  readonly #changed: (health: PoolHealthState) => void;
  #current: PoolHealthState = LIVE;
  #downSinceMs: number | undefined;

  constructor(changed: (health: PoolHealthState) => void) {
    this.#changed = changed;
  }

  get state(): PoolHealthState {
    return this.#current;
  }

  update(pool: {
    states: readonly ChildState[];
    isCatchingUp: boolean;
    hasWaiting: boolean;
    /** Recognition does not keep up with what is said. */
    isLate: boolean;
    nowMs: number;
  }): void {
    const hasReady = pool.states.includes('ready');
    if (hasReady) this.#downSinceMs = undefined;
    else this.#downSinceMs ??= pool.nowMs;
    const next = this.#judge(pool, hasReady);
    if (next === this.#current) return;
    this.#current = next;
    this.#changed(next);
  }

  #judge(pool: Parameters<PoolHealth['update']>[0], hasReady: boolean): PoolHealthState {
    if (!hasReady) {
      const isFinal = pool.states.every((state) => state === 'failed');
      const downMs = this.#downSinceMs === undefined ? 0 : pool.nowMs - this.#downSinceMs;
      return isFinal || downMs >= UNAVAILABLE_AFTER_MS ? UNAVAILABLE : RESTARTING;
    }
    const isWhole = pool.states.every((state) => state === 'ready');
    if (!isWhole || pool.isCatchingUp || pool.hasWaiting) return RESTARTING;
    return pool.isLate ? LATE : LIVE;
  }
}
