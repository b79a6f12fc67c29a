import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLimit } from '../bounds/rate-limit.js';
import { SnapshotRounds } from './snapshot-rounds.js';

const plenty = (): RateLimit => new RateLimit({ burst: 1000, perSecond: 1000 });

describe('further snapshots', () => {
  let rounds: SnapshotRounds;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    rounds = new SnapshotRounds();
  });
  afterEach(() => vi.useRealTimers());

  it('are not sent before what is being broadcast now', () => {
    const sent: string[] = [];
    rounds.ask(plenty(), () => sent.push('snapshot'));
    sent.push('broadcast');
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['broadcast', 'snapshot']);
  });

  it('are sent in few rounds, however many ask, and all are answered', () => {
    const atMs: number[] = [];
    const limit = plenty();
    for (let index = 0; index < 200; index++) rounds.ask(limit, () => atMs.push(performance.now()));
    vi.advanceTimersByTime(2000);
    expect(atMs).toHaveLength(200);
    expect(new Set(atMs).size).toBe(4);
  });

  it('for one identity wait for its limit, and do not make others wait', () => {
    const sent = { greedy: 0, modest: 0 };
    const limit = new RateLimit({ burst: 2, perSecond: 1 });
    for (let index = 0; index < 40; index++) rounds.ask(limit, () => (sent.greedy += 1));
    rounds.ask(plenty(), () => (sent.modest += 1));
    vi.advanceTimersByTime(1);
    expect(sent).toEqual({ greedy: 2, modest: 1 });
    vi.advanceTimersByTime(5000);
    expect(sent.greedy).toBeGreaterThanOrEqual(6);
    expect(sent.greedy).toBeLessThanOrEqual(8);
  });

  it('that are not wanted any more are not sent', () => {
    const send = vi.fn();
    rounds.ask(plenty(), send)();
    vi.advanceTimersByTime(1000);
    expect(send).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
