import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakLines, type LineBreaks, type LineRoom, NO_LINES } from './line-breaker.js';

const room: LineRoom = { widthPx: 100, spacePx: 5, reservePx: 15, indentPx: () => 0 };
const lines = (wordsPx: number[], before: LineBreaks = NO_LINES, options = room): number[] => [
  ...breakLines(wordsPx, before, options).starts,
];

const widths = fc.array(fc.integer({ min: 1, max: 140 }), { maxLength: 60 });

describe('breaking a growing segment into lines', () => {
  it('fills lines, with a reserve at their end', () => {
    expect(lines([])).toEqual([0]);
    expect(lines([40, 40])).toEqual([0]);
    expect(lines([40, 41])).toEqual([0, 1]);
    expect(lines([40, 40, 40, 40])).toEqual([0, 2]);
  });

  it('leaves room for what stands in front', () => {
    const indented = { ...room, indentPx: (line: number) => (line === 0 ? 50 : 0) };
    expect(lines([30, 30, 30], NO_LINES, indented)).toEqual([0, 1]);
  });

  it('gives a word that is wider than a line one of its own', () => {
    expect(lines([10, 900, 10])).toEqual([0, 1, 2]);
  });

  it('lets a word grow where it stands, into the reserve', () => {
    const before = breakLines([40, 40], NO_LINES, room);
    expect(lines([40, 54], before)).toEqual([0]);
    expect(lines([40, 56], before)).toEqual([0, 1]);
  });

  it('does not take a word back into the line before when there is room again', () => {
    const before = breakLines([40, 40, 40], NO_LINES, room);
    expect(before.starts).toEqual([0, 2]);
    expect(lines([40, 10, 10], before)).toEqual([0, 2]);
    expect(lines([40, 10, 10, 10], before)).toEqual([0, 2]);
  });

  it('never changes the lines of words that do not change, whatever is revised after them', () => {
    fc.assert(
      fc.property(widths, fc.array(widths, { maxLength: 8 }), (settled, tails) => {
        let before = NO_LINES;
        let kept: number[] | undefined;
        for (const tail of tails) {
          const all = [...settled, ...tail];
          before = breakLines(all, before, room);
          const now = before.starts.filter((start) => start < settled.length);
          kept ??= now;
          expect(now).toEqual(kept);
        }
      }),
    );
  });

  it('overfills no line, unless with a single word', () => {
    fc.assert(
      fc.property(fc.array(widths, { maxLength: 5 }), (versions) => {
        let before = NO_LINES;
        for (const wordsPx of versions) {
          before = breakLines(wordsPx, before, room);
          const { starts } = before;
          starts.forEach((start, line) => {
            const words = wordsPx.slice(start, starts[line + 1]);
            const usedPx = words.reduce((sum, px) => sum + px, 0) + room.spacePx * (words.length - 1);
            if (words.length > 1) expect(usedPx).toBeLessThanOrEqual(room.widthPx);
          });
        }
      }),
    );
  });
});
