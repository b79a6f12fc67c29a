import { describe, expect, it } from 'vitest';
import { EncoderState } from './encoder-state.js';
import { SpareParts } from './spare-parts.js';

describe('Parts of streams that have ended', () => {
  const states = (): SpareParts<EncoderState> => new SpareParts(() => new EncoderState(3, 2));

  it('serve others, who find nothing in them', () => {
    const pool = states();
    const first = pool.take();
    first.floats.fill(0.5);
    first.integers.fill(7n);
    pool.leave(first);
    pool.callEnded();
    const second = pool.take();
    expect(second).toBe(first);
    expect([...second.floats]).toEqual([0, 0, 0]);
    expect([...second.integers]).toEqual([0n, 0n]);
  });

  it('serve nobody while a call that may write into them is under way', () => {
    const pool = states();
    const first = pool.take();
    pool.leave(first);
    expect(pool.take()).not.toBe(first);
  });

  it('serve one stream at a time', () => {
    const pool = states();
    pool.leave(pool.take());
    pool.callEnded();
    expect(pool.take()).not.toBe(pool.take());
  });

  it('are not all kept when many streams end', () => {
    const pool = states();
    const all = Array.from({ length: 100 }, () => pool.take());
    for (const state of all) pool.leave(state);
    pool.callEnded();
    const again = all.map(() => pool.take());
    expect(again.filter((state) => all.includes(state)).length).toBeLessThan(20);
  });
});
