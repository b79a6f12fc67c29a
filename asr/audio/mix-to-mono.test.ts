import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixToMono } from './mix-to-mono.js';

const upsideDown = (pcm: Int16Array): Int16Array => pcm.map((sample) => Math.max(-32_767, -sample));
const energy = (pcm: Int16Array): number => pcm.reduce((sum, sample) => sum + sample * sample, 0);

describe('mixToMono', () => {
  it('is the mean of the channels', () => {
    expect(mixToMono([Int16Array.of(100, -32_768), Int16Array.of(200, -32_768)])).toEqual(
      Int16Array.of(150, -32_768),
    );
  });

  it('returns a single channel as it is', () => {
    const only = Int16Array.of(1, 2);
    expect(mixToMono([only])).toBe(only);
  });

  it('is empty without channels', () => {
    expect(mixToMono([])).toHaveLength(0);
  });

  const voice = Int16Array.from({ length: 40_000 }, (_, n) =>
    Math.round(8000 * Math.sin(n / 7) * Math.sin(n / 900)),
  );
  const other = Int16Array.from({ length: 40_000 }, (_, n) => Math.round(5000 * Math.sin(n / 11 + 1)));

  it('keeps what one channel has upside down, also where it is so for a while only', () => {
    for (const upsideDownFrom of [0, 16_000, 32_000]) {
      const second = Int16Array.from(voice, (sample, n) => (n < upsideDownFrom ? sample : -sample));
      expect(mixToMono([voice, second])).toEqual(voice);
    }
    const quieter = voice.map((sample) => Math.round(-sample / 2));
    expect(energy(mixToMono([quieter, voice]))).toBeGreaterThan(0.5 * energy(voice));
  });

  it.each([1, 5, 31])('is as loud as the one channel with sound beside %i silent ones', (count) => {
    const silent = Array.from({ length: count }, (_, channel) => voice.map((_, n) => (n + channel) % 3));
    const mixed = mixToMono([...silent, voice]);
    expect(energy(mixed)).toBeGreaterThan(0.9 * energy(voice));
  });

  it('mixes people who have a channel each as ever', () => {
    const plain = voice.map((sample, n) => Math.round((sample + (other[n] ?? 0)) / 2));
    expect(mixToMono([voice, other])).toEqual(plain);
  });

  it('property: never takes away what all channels have', () => {
    const pcm = fc.array(fc.integer({ min: -32_767, max: 32_767 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(pcm, fc.array(fc.boolean(), { minLength: 2, maxLength: 4 }), (samples, turned) => {
        const sound = Int16Array.from(samples);
        const mixed = mixToMono(turned.map((isTurned) => (isTurned ? upsideDown(sound) : sound)));
        expect(energy(mixed)).toBe(energy(sound));
      }),
    );
  });
});
