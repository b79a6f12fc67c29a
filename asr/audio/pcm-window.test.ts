import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import { PcmWindow } from './pcm-window.js';

const chunk = fc.int16Array({ maxLength: 40 });

describe('PcmWindow', () => {
  it('holds what a plain array would, however it is appended, discarded and sliced', () => {
    const step = fc.oneof(
      fc.record({ append: chunk }),
      fc.record({ discardTo: fc.integer({ min: -5, max: 400 }) }),
      fc.record({ from: fc.integer({ min: -5, max: 400 }), to: fc.integer({ min: -5, max: 400 }) }),
    );
    fc.assert(
      fc.property(fc.nat(50), fc.array(step, { maxLength: 40 }), (first, steps) => {
        const window = new PcmWindow(sampleIndex(first));
        let held: { sample: number; value: number }[] = [];
        let end = first;
        for (const step of steps) {
          if ('append' in step) {
            window.append(step.append);
            for (const value of step.append) held.push({ sample: end++, value });
          } else if ('discardTo' in step) {
            window.discardBefore(step.discardTo);
            held = held.filter(({ sample }) => sample >= step.discardTo);
          } else {
            const expected = held.filter(({ sample }) => sample >= step.from && sample < step.to);
            expect([...window.slice(step.from, step.to)]).toEqual(expected.map(({ value }) => value));
            const views = [...window.views(step.from, step.to)];
            expect(views.flatMap((view) => [...view])).toEqual(expected.map(({ value }) => value));
          }
          expect(window.endSample).toBe(end);
          expect(window.startSample).toBe(held[0]?.sample ?? end);
          expect(window.lengthSamples).toBe(held.length);
        }
      }),
    );
  });

  it('gives frames that lie in memory one after the other as one', () => {
    const slab = Int16Array.of(1, 2, 3, 4, 5, 6, 7);
    const window = new PcmWindow(sampleIndex(10));
    for (const frame of [slab.subarray(0, 2), slab.subarray(2, 4), slab.subarray(5), Int16Array.of(8)])
      window.append(frame);
    expect([...window.views(11, 17)].map((view) => [...view])).toEqual([[2, 3, 4], [6, 7], [8]]);
  });

  it('copies on slice, so that a slice stays when its source is changed', () => {
    const pcm = Int16Array.of(1, 2, 3);
    const window = new PcmWindow(sampleIndex(0));
    window.append(pcm);
    const slice = window.slice(0, 3);
    pcm[1] = 99;
    expect([...slice]).toEqual([1, 2, 3]);
  });

  it('shares memory with what was appended where views are asked for', () => {
    const pcm = Int16Array.of(1, 2, 3);
    const window = new PcmWindow(sampleIndex(0));
    window.append(pcm);
    const [view] = window.views(1, 3);
    pcm[1] = 99;
    expect([...(view ?? [])]).toEqual([99, 3]);
  });
});
