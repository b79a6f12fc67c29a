import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcmSlab } from './pcm-slab.js';

describe('a slab of audio', () => {
  it('gives every frame back as it came, also after later ones', () => {
    const frame = fc.array(fc.integer({ min: -32768, max: 32767 }), { maxLength: 9000 });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
        const slab = new PcmSlab();
        const copies = frames.map((samples) => slab.copyOf(new Uint8Array(Int16Array.from(samples).buffer)));
        expect(copies.map((copy) => [...copy])).toEqual(frames);
      }),
      { numRuns: 30 },
    );
  });

  it('takes bytes from any offset, and frames longer than itself', () => {
    const slab = new PcmSlab();
    const bytes = new Uint8Array(40_003).map((_, index) => index % 251);
    const copy = slab.copyOf(bytes.subarray(3));
    expect(copy).toHaveLength(20_000);
    expect(copy[0]).toBe(3 + 4 * 256);
  });

  it('shares memory between short frames', () => {
    const slab = new PcmSlab();
    const [first, second] = [slab.copyOf(new Uint8Array(640)), slab.copyOf(new Uint8Array(640))];
    expect(second.buffer).toBe(first.buffer);
    expect(second.byteOffset).toBe(640);
  });
});
