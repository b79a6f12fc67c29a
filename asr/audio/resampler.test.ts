import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResampler, MAX_INPUT_RATE_HZ } from './resampler.js';
import { loadSpeex } from './speex-wasm.js';

const RATES_HZ = [8_000, 11_025, 22_050, 24_000, 44_100, 48_000];

const sine = (options: { frequencyHz: number; rateHz: number; samples: number }): Int16Array =>
  Int16Array.from({ length: options.samples }, (_, n) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * options.frequencyHz * n) / options.rateHz)),
  );

/** All output of one stream that is given `pieces`. */
async function resample(fromHz: number, pieces: readonly Int16Array[]): Promise<number[]> {
  const resampler = await createResampler(fromHz);
  const output = pieces.flatMap((piece) => [...resampler.process(piece)]);
  return [...output, ...resampler.flush()];
}

/** Cuts at the given places, which may repeat. */
function split(pcm: Int16Array, cuts: readonly number[]): Int16Array[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b), pcm.length];
  return places.slice(1).map((end, index) => pcm.subarray(places[index], end));
}

describe.each(RATES_HZ)('resampling from %i Hz', (fromHz) => {
  it.each([200, 1_000, 3_000])(
    'keeps frequency, amplitude and phase of a sine of %i Hz',
    async (frequencyHz) => {
      const output = await resample(fromHz, [sine({ frequencyHz, rateHz: fromHz, samples: fromHz })]);
      const expected = sine({ frequencyHz, rateHz: 16_000, samples: 16_000 });
      const middle = output.slice(1_000, 15_000);
      const worst = Math.max(...middle.map((sample, n) => Math.abs(sample - (expected[n + 1_000] ?? NaN))));
      expect(worst).toBeLessThan(60);
    },
  );

  it('makes no clicks: neighbouring samples differ no more than those of the sine itself', async () => {
    const pcm = sine({ frequencyHz: 440, rateHz: fromHz, samples: fromHz });
    const chunkSamples = Math.round(fromHz / 50);
    const cuts = Array.from({ length: 49 }, (_, index) => (index + 1) * chunkSamples);
    const output = await resample(fromHz, split(pcm, cuts));
    const steepest = (10_000 * 2 * Math.PI * 440) / 16_000;
    const steps = output.slice(100, -100).map((sample, n) => Math.abs(sample - (output[n + 101] ?? NaN)));
    expect(Math.max(...steps.slice(0, -1))).toBeLessThan(steepest * 1.02);
  });

  it('gives the same output however the input is cut', async () => {
    await loadSpeex();
    const input = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 2_000 }).chain((samples) =>
      fc.record({
        pcm: fc.constant(Int16Array.from(samples)),
        cuts: fc.array(fc.integer({ min: 0, max: samples.length }), { maxLength: 30 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(input, async ({ pcm, cuts }) => {
        expect(await resample(fromHz, split(pcm, cuts))).toEqual(await resample(fromHz, [pcm]));
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same output for single samples as for one long piece', async () => {
    const pcm = sine({ frequencyHz: 700, rateHz: fromHz, samples: 6_000 });
    const cuts = Array.from({ length: 5_999 }, (_, index) => index + 1);
    expect(await resample(fromHz, split(pcm, cuts))).toEqual(await resample(fromHz, [pcm]));
  });

  it('gives exactly as many samples as the input lasts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20_000 }), async (samples) => {
        const output = await resample(fromHz, [new Int16Array(samples)]);
        expect(output).toHaveLength(Math.round((samples * 16_000) / fromHz));
      }),
      { numRuns: 30 },
    );
  });

  it('puts an impulse where it was', async () => {
    const pcm = new Int16Array(fromHz);
    // 0.5 s and 0.51 s are whole numbers of samples at even rates; at 11,025 Hz the place is off by half a sample.
    pcm[Math.round(fromHz / 2)] = 30_000;
    const output = await resample(fromHz, [pcm]);
    const peak = output.indexOf(Math.max(...output));
    expect(Math.abs(peak - 8_000)).toBeLessThanOrEqual(1);
  });
});

describe('createResampler', () => {
  it('passes 16 kHz through without a copy', async () => {
    const resampler = await createResampler(16_000);
    const pcm = Int16Array.of(1, 2, 3);
    expect(resampler.process(pcm)).toBe(pcm);
    expect(resampler.flush()).toHaveLength(0);
  });

  it('converts rates that share no divisor with 16 kHz', async () => {
    const output = await resample(44_101, [sine({ frequencyHz: 1_000, rateHz: 44_101, samples: 44_101 })]);
    const expected = sine({ frequencyHz: 1_000, rateHz: 16_000, samples: 16_000 });
    expect(output).toHaveLength(16_000);
    expect(
      Math.max(...output.slice(500, 15_500).map((s, n) => Math.abs(s - (expected[n + 500] ?? NaN)))),
    ).toBeLessThan(60);
  });

  it.each([0, -8_000, 3_999, 16_000.5, Number.NaN, MAX_INPUT_RATE_HZ + 1])(
    'refuses a rate of %d Hz',
    async (rateHz) => {
      await expect(createResampler(rateHz)).rejects.toMatchObject({ code: 'sample_rate_unsupported' });
    },
  );

  it('refuses an unknown quality', async () => {
    await expect(createResampler(48_000, 11)).rejects.toMatchObject({ code: 'resampler_failed' });
  });

  it.each([16_000, 48_000])('takes nothing after flush or close (%i Hz)', async (rateHz) => {
    const flushed = await createResampler(rateHz);
    flushed.flush();
    expect(() => flushed.process(new Int16Array(1))).toThrow(
      expect.objectContaining({ code: 'resampler_closed' }),
    );
    expect(flushed.flush()).toHaveLength(0);
    const closed = await createResampler(rateHz);
    closed.close();
    closed.close();
    expect(() => closed.process(new Int16Array(1))).toThrow(
      expect.objectContaining({ code: 'resampler_closed' }),
    );
  });

  it('frees the filters that were closed: thousands of streams do not grow the memory', async () => {
    const { module } = await loadSpeex();
    const before = module.HEAP16.length;
    for (let round = 0; round < 5_000; round++) {
      const resampler = await createResampler(44_100);
      resampler.process(new Int16Array(441));
      resampler.close();
    }
    expect(module.HEAP16.length).toBe(before);
  });

  it('leaves no process-wide listeners behind', async () => {
    await loadSpeex();
    const listeners = [
      ...process.rawListeners('unhandledRejection'),
      ...process.rawListeners('uncaughtException'),
    ];
    expect(
      listeners.map(String).filter((source) => source.includes('ExitStatus') || source.includes('abort')),
    ).toEqual([]);
  });
});
