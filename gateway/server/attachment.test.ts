import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachment } from './attachment.js';

const named = (of: string): string => attachment({ of, suffix: '2026-11-25T09-00', extension: 'txt' });
const decoded = (header: string): string | undefined => {
  const encoded = /filename\*=UTF-8''([^;]+)$/.exec(header)?.[1];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
};

describe('the name of a download', () => {
  it.each([
    ["Réunion d'équipe", 'Reunion-d-equipe', "Réunion d'équipe"],
    ['会议室', 'transcript', '会议室'],
    ['Straße & Übung', 'Stra-e-Ubung', 'Straße & Übung'],
    ['council / 1', 'council-1', undefined],
    ['\u{1f468}\u200d\u{1f469} \u202eabc', 'abc', '\u{1f468}\u200d\u{1f469} abc'],
    [
      '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
      'transcript',
      '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
    ],
    ['..', 'transcript', undefined],
    ['a\r\nSet-Cookie: x="y"', 'a-Set-Cookie-x-y', undefined],
  ])('keeps "%s", and has something like it in ASCII', (room, ascii, own) => {
    const header = named(room);
    expect(header).toContain(`filename="${ascii}-2026-11-25T09-00.txt"`);
    expect(decoded(header)).toBe(own === undefined ? undefined : `${own}-2026-11-25T09-00.txt`);
  });

  it('is a header that nothing can be added to, whatever the room is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 256 }), (room) => {
        expect(named(room)).toMatch(
          /^attachment; filename="[A-Za-z0-9.-]+"(; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+)?$/,
        );
      }),
    );
  });
});
