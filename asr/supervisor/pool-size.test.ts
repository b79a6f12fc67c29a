import { describe, expect, it } from 'vitest';
import { Lateness } from './lateness.js';
import { PoolSize } from './pool-size.js';

/** How many children there are after each second, when recognition is so many milliseconds behind. */
function childrenOver(behindMs: readonly number[], limits: { least: number; most: number }): number[] {
  const lateness = new Lateness();
  const size = new PoolSize(limits);
  let children = limits.least;
  return behindMs.map((behind, second) => {
    const nowMs = second * 1000;
    lateness.look(behind);
    children += size.step({ lateness, cores: 0, children, nowMs });
    return children;
  });
}

const forSeconds = (count: number, behindMs: number): number[] => Array<number>(count).fill(behindMs);

describe('Lateness', () => {
  it('is noticed after two looks in a row and over after two, with room in between', () => {
    const lateness = new Lateness();
    const seen = [400, 2500, 400, 2500, 2500, 1500, 900, 1500, 900, 900].map((behindMs) => {
      lateness.look(behindMs);
      return lateness.isLate;
    });
    expect(seen).toEqual([false, false, false, false, true, true, true, true, true, false]);
  });
});

describe('PoolSize', () => {
  it('adds one child at a time while recognition is late, up to the limit', () => {
    const children = childrenOver(forSeconds(40, 5000), { least: 1, most: 3 });
    expect(children.slice(0, 3)).toEqual([1, 2, 2]);
    expect(children[10]).toBe(2);
    expect(children[11]).toBe(3);
    expect(children.at(-1)).toBe(3);
  });

  it('lets the child go when recognition has kept up for a minute, and never the first ones', () => {
    const children = childrenOver([...forSeconds(3, 5000), ...forSeconds(200, 300)], { least: 1, most: 2 });
    expect(children[2]).toBe(2);
    expect(children[60]).toBe(2);
    expect(children[66]).toBe(1);
    expect(children.at(-1)).toBe(1);
  });

  it('keeps a child while the others would have too much to do without it', () => {
    const size = new PoolSize({ least: 1, most: 2 });
    const lateness = new Lateness();
    let children = 1;
    let nowMs = 0;
    const childrenAfter = (seconds: number, behindMs: number, cores: number): number => {
      for (let second = 0; second < seconds; second++) {
        nowMs += 1000;
        lateness.look(behindMs);
        children += size.step({ lateness, cores, children, nowMs });
      }
      return children;
    };
    expect(childrenAfter(60, 0, 0.9)).toBe(1);
    expect(childrenAfter(2, 5000, 1)).toBe(2);
    expect(childrenAfter(300, 0, 0.5)).toBe(2);
    expect(childrenAfter(50, 0, 0.4)).toBe(2);
    expect(childrenAfter(20, 0, 0.4)).toBe(1);
  });

  it('never changes where there may be no more', () => {
    const behind = [...forSeconds(20, 9000), ...forSeconds(100, 0)];
    expect(new Set(childrenOver(behind, { least: 2, most: 2 }))).toEqual(new Set([2]));
  });
});
