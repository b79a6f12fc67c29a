import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest, readManifest, snapToPhone } from './manifest.js';

const entry = {
  id: 'a',
  file: 'a.wav',
  text: 'hi you',
  words: [
    ['hi', 0.1, 0.3],
    ['you', 0.3, 0.62],
  ],
};

describe('a manifest', () => {
  it('gives clips beside it, with times in milliseconds', () => {
    const [clip] = parseManifest({ speech: [entry] }, '/data/manifest.json');
    expect(clip?.path).toBe('/data/a.wav');
    expect(clip?.words[1]).toEqual({ text: 'you', startMs: 300, endMs: 620 });
    expect(clip?.isHandLabelled).toBe(false);
  });

  it('takes the ends of words from phones where there are any, but not from silence', () => {
    const phones = [
      ['h', 0.2],
      ['ai', 0.33],
      ['u', 0.6],
      ['sil', 0.63],
    ];
    const [clip] = parseManifest({ speech: [{ ...entry, phones }] }, '/data/manifest.json');
    expect(clip?.words.map(({ endMs }) => endMs)).toEqual([330, 600]);
    expect(clip?.isHandLabelled).toBe(true);
  });

  it('accepts clips without transcript or word times', () => {
    const [clip] = parseManifest({ speech: [{ id: 'b', file: 'b.wav', text: null }] }, 'manifest.json');
    expect(clip).toMatchObject({ text: null, words: [], speech: null, isHandLabelled: false });
    const nothingKnown = { words: null, phones: null, speech_start: null, speech_end: null };
    expect(parseManifest({ speech: [{ id: 'b', file: 'b.wav', ...nothingKnown }] }, 'm.json')).toHaveLength(
      1,
    );
  });

  it('says when speech begins and ends, from the words where the manifest does not', () => {
    const [told] = parseManifest({ speech: [{ ...entry, speech_start: 0.05, speech_end: 0.7 }] }, 'm.json');
    expect(told?.speech).toEqual({ startMs: 50, endMs: 700 });
    const [inferred] = parseManifest({ speech: [entry] }, 'm.json');
    expect(inferred?.speech).toEqual({ startMs: 100, endMs: 620 });
  });

  it.each([
    null,
    [],
    {},
    { speech: [] },
    { speech: [{ id: 'a' }] },
    { speech: [{ ...entry, words: [['hi', 'x', 1]] }] },
    { speech: [{ ...entry, phones: [['h']] }] },
    { speech: [{ ...entry, speech_end: 'late' }] },
  ])('refuses %j with what it should be', (content) => {
    expect(() => parseManifest(content, 'm.json')).toThrow(
      expect.objectContaining({ code: 'usage_manifest_invalid' }),
    );
  });

  it('says which file cannot be read', async () => {
    await expect(readManifest('/nowhere/manifest.json')).rejects.toMatchObject({
      code: 'usage_manifest_invalid',
      message: expect.stringContaining('/nowhere/manifest.json') as string,
    });
  });

  it('moves an end to the nearest phone within 80 ms and nowhere else', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.array(fc.nat(5000), { maxLength: 30 }), (endMs, phoneEndsMs) => {
        const snapped = snapToPhone(endMs, phoneEndsMs);
        const distances = phoneEndsMs.map((phone) => Math.abs(phone - endMs));
        const nearest = Math.min(Infinity, ...distances);
        expect(Math.abs(snapped - endMs)).toBe(nearest <= 80 ? nearest : 0);
      }),
    );
  });
});
