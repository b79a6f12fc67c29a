import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Resampler } from './resampler.js';

const TO_HZ = 16_000;
const tone = (frequencyHz: number, rateHz: number, seconds = 0.5): Float32Array =>
  Float32Array.from({ length: rateHz * seconds }, (_, index) =>
    Math.sin((2 * Math.PI * frequencyHz * index) / rateHz),
  );

/** Without the ends, where the filter looks into silence. */
const middle = (samples: Float32Array): Float32Array => samples.subarray(400, samples.length - 400);
const loudness = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
const decibels = (ratio: number): number => 20 * Math.log10(ratio);

describe('the resampler', () => {
  it.each([
    [48_000, 300],
    [48_000, 6500],
    [44_100, 300],
    [44_100, 6500],
    [96_000, 1000],
    [22_050, 3000],
    [16_000, 3000],
    [8000, 3000],
  ])('from %d Hz keeps a tone of %d Hz as it is', (fromHz, frequencyHz) => {
    const made = new Resampler({ fromHz, toHz: TO_HZ }).push(tone(frequencyHz, fromHz));
    const expected = tone(frequencyHz, TO_HZ).subarray(0, made.length);
    expect(made.length).toBeGreaterThan(0.49 * TO_HZ);
    const error = middle(made.map((sample, index) => sample - (expected[index] ?? 0)));
    expect(decibels(loudness(error) / loudness(middle(expected)))).toBeLessThan(-50);
  });

  it.each([
    [48_000, 9500],
    [48_000, 15_000],
    [44_100, 9500],
    [96_000, 30_000],
  ])('from %d Hz lets nothing of a tone of %d Hz through', (fromHz, frequencyHz) => {
    const made = new Resampler({ fromHz, toHz: TO_HZ }).push(tone(frequencyHz, fromHz));
    expect(decibels(loudness(middle(made)) / Math.SQRT1_2)).toBeLessThan(-50);
  });

  it('makes the same of a sound whatever pieces it comes in', () => {
    const sound = tone(440, 44_100, 0.1);
    const whole = [...new Resampler({ fromHz: 44_100, toHz: TO_HZ }).push(sound)];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 }), (sizes) => {
        const resampler = new Resampler({ fromHz: 44_100, toHz: TO_HZ });
        const made: number[] = [];
        let first = 0;
        for (const size of [...sizes, sound.length]) {
          made.push(...resampler.push(sound.subarray(first, first + size)));
          first += size;
        }
        expect(made).toEqual(whole);
      }),
    );
  });
});
