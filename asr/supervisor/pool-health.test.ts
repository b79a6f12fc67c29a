import { describe, expect, it } from 'vitest';
import { PoolHealth, type PoolHealthState } from './pool-health.js';
import type { ChildState } from './supervised-child.js';

interface Setup {
  readonly health: PoolHealth;
  readonly changes: PoolHealthState['state'][];
  readonly update: (
    states: readonly ChildState[],
    nowMs: number,
    more?: { isCatchingUp?: boolean; hasWaiting?: boolean; isLate?: boolean },
  ) => void;
}

function setUp(): Setup {
  const changes: PoolHealthState['state'][] = [];
  const health = new PoolHealth(({ state }) => changes.push(state));
  return {
    health,
    changes,
    update: (states, nowMs, more = {}) =>
      health.update({ states, nowMs, isCatchingUp: false, hasWaiting: false, isLate: false, ...more }),
  };
}

describe('PoolHealth', () => {
  it('is live, without a reason, while all children run and nothing is behind', () => {
    const { health, changes, update } = setUp();
    update(['ready', 'ready'], 0);
    expect(health.state).toEqual({ state: 'live', reason: '' });
    expect(changes).toEqual([]);
  });

  it('is degraded from a crash until the children are back and have caught up', () => {
    const { health, changes, update } = setUp();
    update(['waiting', 'ready'], 0);
    expect(health.state.reason).not.toBe('');
    update(['starting', 'ready'], 10);
    update(['ready', 'ready'], 20, { isCatchingUp: true });
    update(['ready', 'ready'], 30, { hasWaiting: true });
    update(['ready', 'ready'], 40);
    expect(changes).toEqual(['degraded', 'live']);
  });

  it('says why it is degraded: a restart, or more speech than it can follow', () => {
    const { health, update } = setUp();
    const reasons: string[] = [];
    for (const [state, isLate] of [
      ['ready', true],
      ['waiting', true],
      ['ready', true],
      ['ready', false],
    ] as const) {
      update([state, 'ready'], 0, { isLate });
      reasons.push(health.state.reason);
    }
    expect(reasons[0]).toContain('late');
    expect(reasons[1]).toContain('restarted');
    expect(reasons[2]).toBe(reasons[0]);
    expect(reasons[3]).toBe('');
  });

  it('is unavailable after 5 s without any ready child, until one is back', () => {
    const { changes, update } = setUp();
    update(['waiting', 'starting'], 1000);
    update(['starting', 'starting'], 5999);
    expect(changes).toEqual(['degraded']);
    update(['waiting', 'waiting'], 6000);
    update(['ready', 'waiting'], 7000);
    update(['ready', 'ready'], 8000);
    expect(changes).toEqual(['degraded', 'unavailable', 'degraded', 'live']);
  });

  it('counts the 5 s anew after a child was ready in between', () => {
    const { changes, update } = setUp();
    update(['waiting'], 0);
    update(['ready'], 4000);
    update(['waiting'], 4500);
    update(['starting'], 9000);
    expect(changes).toEqual(['degraded', 'live', 'degraded']);
  });

  it('is unavailable at once when no child will ever come back', () => {
    const { changes, update } = setUp();
    update(['failed', 'failed'], 0);
    expect(changes).toEqual(['unavailable']);
  });
});
