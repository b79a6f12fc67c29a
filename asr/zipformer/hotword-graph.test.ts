import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HotwordGraph, type HotwordTokens } from './hotword-graph.js';

/** What a hypothesis of these tokens has gained in the end. */
function worthOf(phrases: readonly HotwordTokens[], tokens: readonly number[]): number {
  const graph = new HotwordGraph(phrases);
  let place = graph.start;
  let total = 0;
  for (const token of tokens) {
    const step = graph.step(place, token);
    total += step.gain;
    place = step.place;
  }
  return total + graph.breakOff(place);
}

const phrase = (boost: number, ...ids: number[]): HotwordTokens => ({ ids, boost });
const token = fc.integer({ min: 1, max: 4 });
const tokens = fc.array(token, { maxLength: 30 });
const phrases = fc.array(
  fc.record({ ids: fc.array(token, { minLength: 1, maxLength: 4 }), boost: fc.constantFrom(1, 1.5, 3) }),
  { minLength: 1, maxLength: 5 },
);

const contains = (all: readonly number[], part: readonly number[]): boolean =>
  all.some((_, start) => part.every((id, index) => all[start + index] === id));

describe('HotwordGraph', () => {
  it('gives every token of a phrase its boost as it comes', () => {
    const graph = new HotwordGraph([phrase(1.5, 7, 8)]);
    const first = graph.step(graph.start, 7);
    expect(first.gain).toBe(1.5);
    expect(graph.step(first.place, 8).gain).toBe(1.5);
  });

  it('takes back what was given for a phrase that breaks off', () => {
    expect(worthOf([phrase(2, 1, 2, 3)], [1, 2, 4, 1])).toBe(0);
  });

  it('finds a phrase that begins inside another one that breaks off', () => {
    expect(worthOf([phrase(1, 1, 2, 3), phrase(1, 2, 4)], [1, 2, 4])).toBe(2);
  });

  it('lets a phrase keep its worth when a longer one that begins with it breaks off or is completed', () => {
    const both = [phrase(1, 1, 2), phrase(1, 1, 2, 3, 4)];
    expect(worthOf(both, [1, 2, 3, 5])).toBe(2);
    expect(worthOf(both, [1, 2, 3, 4])).toBe(4);
  });

  it('counts the larger boost where phrases share tokens', () => {
    expect(worthOf([phrase(1, 1, 2), phrase(3, 1, 5)], [1, 2])).toBe(4);
  });

  it('property: nothing is gained for good without a whole phrase, and something with one', () => {
    fc.assert(
      fc.property(phrases, tokens, (favoured, said) => {
        const isFound = favoured.some(({ ids }) => contains(said, ids));
        const worth = worthOf(favoured, said);
        if (isFound) expect(worth).toBeGreaterThan(0);
        else expect(worth).toBeCloseTo(0, 9);
      }),
    );
  });

  it('property: no token is worth its boost twice', () => {
    fc.assert(
      fc.property(phrases, tokens, (favoured, said) => {
        expect(worthOf(favoured, said)).toBeLessThanOrEqual(3 * said.length + 1e-9);
      }),
    );
  });

  it('finds a place again by what was said of the phrase', () => {
    const graph = new HotwordGraph([phrase(1, 1, 2, 3)]);
    const { place } = graph.step(graph.step(graph.start, 1).place, 2);
    expect(place.said).toEqual([1, 2]);
    expect(graph.find(place.said)).toBe(place);
    expect(graph.find([2])).toBe(graph.start);
  });
});
