import { describe, expect, it } from 'vitest';
import { findKnee } from './find-knee.js';

const upTo = (most: number) => (load: number) => Promise.resolve({ fits: load <= most });

describe('the search for the largest load that fits', () => {
  it('finds it to the last one when asked to', async () => {
    for (const most of [1, 2, 7, 33, 90]) {
      const found = await findKnee({ first: 1, max: 100, precision: 0, run: upTo(most) });
      expect(found).toMatchObject({ knee: most, tooMuch: most + 1 });
    }
  });

  it('stops as near as it was asked to, and at the most that it may try', async () => {
    const { knee, tooMuch } = await findKnee({ first: 10, max: 1000, precision: 0.1, run: upTo(137) });
    expect(knee).toBeLessThanOrEqual(137);
    expect(tooMuch).toBeGreaterThan(137);
    expect((tooMuch ?? 0) - knee).toBeLessThanOrEqual(15);
    expect(await findKnee({ first: 10, max: 50, precision: 0.1, run: upTo(137) })).toMatchObject({
      knee: 50,
      tooMuch: null,
    });
    expect(await findKnee({ first: 10, max: 50, precision: 0, run: upTo(0) })).toMatchObject({
      knee: 0,
      tooMuch: 1,
    });
  });

  it('forgives one failure, not two', async () => {
    let isDisturbed = true;
    const found = await findKnee({
      first: 8,
      max: 8,
      precision: 0,
      run: () => {
        const fits = !isDisturbed;
        isDisturbed = false;
        return Promise.resolve({ fits });
      },
    });
    expect(found).toMatchObject({ knee: 8, tooMuch: null, steps: [{ fits: false }, { fits: true }] });
  });
});
