import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonBytes, packByBytes } from './packing.js';

describe('packByBytes', () => {
  it('begins a new group only where the next item does not fit any more', () => {
    const items = [[1], [2], [33], [4]];
    expect(packByBytes(items, 8)).toStrictEqual([[[1], [2]], [[33]], [[4]]]);
    expect(packByBytes(items, 9)).toStrictEqual([
      [[1], [2]],
      [[33], [4]],
    ]);
    expect(packByBytes([], 8)).toStrictEqual([]);
  });

  it('keeps every item, in order, within the room, except for an item that is too large by itself', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string())), fc.integer({ min: 1, max: 200 }), (items, roomBytes) => {
        const groups = packByBytes(items, roomBytes);
        expect(groups.flat()).toStrictEqual(items);
        for (const group of groups) {
          const sizeBytes = group.reduce((bytes, item) => bytes + jsonBytes(item) + 1, 0);
          expect(group.length === 1 || sizeBytes <= roomBytes).toBe(true);
        }
      }),
    );
  });
});

describe('jsonBytes', () => {
  it('counts bytes of UTF-8, with what JSON escapes', () => {
    expect(jsonBytes(['é"'])).toBe('["'.length + 2 + 2 + '"]'.length);
    expect(jsonBytes(['\ud800'])).toBe('["\\ud800"]'.length);
  });
});
