import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SampleStamps } from './sample-stamps.js';

const frames = fc.array(fc.record({ samples: fc.integer({ min: 1, max: 900 }), gapMs: fc.nat(50) }), {
  minLength: 1,
  maxLength: 200,
});

describe('SampleStamps', () => {
  it('knows when a sample came as a search through all frames does, also when old ones are forgotten', () => {
    fc.assert(
      fc.property(frames, fc.nat(100), fc.nat(100), (list, discardPercent, askedPercent) => {
        const stamps = new SampleStamps();
        const known: { endSample: number; atMs: number }[] = [];
        let endSample = 0;
        let atMs = 0;
        for (const { samples, gapMs } of list) {
          endSample += samples;
          atMs += gapMs;
          known.push({ endSample, atMs });
          stamps.add(endSample, atMs);
        }
        const discarded = Math.floor((endSample * discardPercent) / 100);
        stamps.discardBefore(discarded);
        const asked = Math.max(discarded, Math.floor((endSample * askedPercent) / 100));
        const expected = known.find((frame) => frame.endSample >= asked) ?? known.at(-1);
        expect(stamps.timeOf(asked)).toBe(expected?.atMs);
      }),
    );
  });

  it('has no time before anything came, and that of the newest for what is to come', () => {
    const stamps = new SampleStamps();
    expect(stamps.timeOf(5)).toBeUndefined();
    stamps.add(100, 7);
    stamps.add(100, 9);
    expect(stamps.timeOf(500)).toBe(7);
  });
});
