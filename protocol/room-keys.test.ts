import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roomKeysIn, withRoomKeys } from './room-keys.js';

const key = (letter: string): string => letter.repeat(87);

describe('the keys in a room’s metadata', () => {
  it('are found among what applications keep there', () => {
    const metadata = JSON.stringify({ captions: { language: 'fr' }, captionKeys: [key('A'), key('b')] });
    expect(roomKeysIn(metadata)).toEqual([key('A'), key('b')]);
  });

  it.each([
    ['', []],
    [undefined, []],
    ['no JSON', []],
    ['["captionKeys"]', []],
    ['null', []],
    [JSON.stringify({ captionKeys: key('A') }), []],
    [JSON.stringify({ captionKeys: [1, null, 'short', `${key('A')}A`, key('=')] }), []],
    [JSON.stringify({ captionKeys: Array.from('ABCDEFG', key) }), Array.from('ABCD', key)],
  ])('are none where there are none, and not too many: %s', (metadata, expected) => {
    expect(roomKeysIn(metadata)).toEqual(expected);
  });

  it('are put in without a change of anything else, to the letter', () => {
    const metadata = ' { "id": 12345678901234567890, "a" : 1.0, "a": "\\u00e9" } ';
    const merged = withRoomKeys(metadata, [key('A')]);
    expect(merged).toBe(
      ` { "id": 12345678901234567890, "a" : 1.0, "a": "\\u00e9","captionKeys":["${key('A')}"]}`,
    );
    expect(withRoomKeys(merged ?? '', [key('B')])).toBe(merged?.replace(key('A'), key('B')));
    expect(withRoomKeys('', [key('A')])).toBe(`{"captionKeys":["${key('A')}"]}`);
    expect(withRoomKeys('{}', [key('A')])).toBe(`{"captionKeys":["${key('A')}"]}`);
  });

  it('leave alone what is no JSON object', () => {
    for (const metadata of ['council', '[1]', 'null', '"x"', '{"a":', '1'])
      expect(withRoomKeys(metadata, [key('A')])).toBeUndefined();
  });

  it('are in it afterwards, with all that was there, whatever that is', () => {
    const anything = fc.dictionary(
      fc.oneof(fc.string(), fc.constant('captionKeys')),
      fc.oneof(fc.jsonValue(), fc.constant('"captionKeys":["x"]')),
    );
    fc.assert(
      fc.property(anything, (fields) => {
        const merged = withRoomKeys(JSON.stringify(fields), [key('A')]) ?? '';
        expect(roomKeysIn(merged)).toEqual([key('A')]);
        const before = JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
        expect(JSON.parse(merged)).toEqual({ ...before, captionKeys: [key('A')] });
        expect(withRoomKeys(merged, [key('A')])).toBe(merged);
      }),
    );
  });
});
