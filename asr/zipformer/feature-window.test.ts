import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { toFloat32 } from '../audio/audio-frame.js';
import { ownSpeech } from '../testing/clips.js';
import { FeatureWindow } from './feature-window.js';
import { MEL_BINS, MelFilterBank } from './mel-filter-bank.js';

const SAMPLES = 12_800;
const FRAMES = 78;
/** Frames of the signal after which there is silence up to the frame that is cut in half. */
const REFERENCE = new URL('testing/reference-features.f32', import.meta.url);

const bank = new MelFilterBank();

/** All features of a signal, taken `windowFrames` at a time and fed in pieces of these sizes, over and over. */
function featuresOf(
  samples: Float32Array,
  { windowFrames = 45, hop = 32, pieces = [1600] } = {},
): Float32Array {
  const window = new FeatureWindow(bank, windowFrames);
  const rows: Float32Array[] = [];
  let known = 0;
  const take = (): void => {
    window.fill();
    rows.push(window.features.slice(known * MEL_BINS, window.frameCount * MEL_BINS));
    known = window.frameCount;
  };
  for (let at = 0, piece = 0; at < samples.length; piece++) {
    const size = pieces[piece % pieces.length]!;
    window.append(samples.subarray(at, at + size));
    at += size;
    while (window.isFull) {
      take();
      window.advance(hop);
      known -= hop;
    }
  }
  take();
  const joined = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  let position = 0;
  for (const row of rows) {
    joined.set(row, position);
    position += row.length;
  }
  return joined;
}

describe('FeatureWindow', () => {
  let speech: Float32Array;
  let reference: Float32Array;
  beforeAll(async () => {
    const [clip] = await ownSpeech('short-01');
    speech = toFloat32(clip!.pcm.subarray(0, SAMPLES));
    const bytes = await readFile(REFERENCE);
    reference = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  });

  const signals = {
    speech: (): Float32Array => speech,
    'silence and noise of the last bit': () =>
      speech.map((_, i) => (i < SAMPLES / 2 ? 0 : ((((i - SAMPLES / 2) * 7919) % 5) - 2) / 32768)),
    'clipped speech': () =>
      speech.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 40 * 32768))) / 32768),
  };

  it.each(Object.entries(signals).map(([name, signal], index) => ({ name, signal, index })))(
    'gives the numbers of kaldi-native-fbank on $name',
    ({ signal, index }) => {
      const ours = featuresOf(signal());
      const expected = reference.subarray(index * FRAMES * MEL_BINS, (index + 1) * FRAMES * MEL_BINS);
      expect(expected).toHaveLength(FRAMES * MEL_BINS);
      expect(ours.length).toBeGreaterThanOrEqual(expected.length);
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i]!)), 0);
      expect(worst).toBeLessThan(1e-3);
    },
  );

  it('gives the same whatever the sizes of pieces, windows and hops', () => {
    const whole = featuresOf(speech, { pieces: [SAMPLES] });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
        fc
          .integer({ min: 1, max: 60 })
          .chain((hop) => fc.record({ hop: fc.constant(hop), more: fc.nat({ max: 20 }) })),
        (pieces, { hop, more }) => {
          const cut = featuresOf(speech, { pieces, hop, windowFrames: hop + more });
          expect(Buffer.compare(Buffer.from(cut.buffer), Buffer.from(whole.buffer))).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('knows how many frames there is audio for, and computes no more than its window', () => {
    const window = new FeatureWindow(bank, 10);
    expect(window.availableFrames).toBe(0);
    window.append(new Float32Array(279));
    expect(window.availableFrames).toBe(0);
    window.append(new Float32Array(1));
    expect(window.availableFrames).toBe(1);
    window.append(new Float32Array(160 * 20));
    expect(window.isFull).toBe(true);
    window.fill();
    expect(window.frameCount).toBe(10);
    window.advance(4);
    expect(window.frameCount).toBe(6);
    expect(window.availableFrames).toBe(10);
  });

  it('is as new once it was cleared, whatever it held', () => {
    const [used, fresh] = [new FeatureWindow(bank, 10), new FeatureWindow(bank, 10)];
    used.append(speech.subarray(0, 12_345));
    used.fill();
    used.advance(3);
    used.clear();
    expect([used.frameCount, used.availableFrames]).toEqual([0, 0]);
    for (const window of [used, fresh]) {
      window.append(speech.subarray(100, 2500));
      window.fill();
    }
    expect(used.save()).toEqual(fresh.save());
  });

  it('refuses samples that are no finite numbers', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const window = new FeatureWindow(bank, 10);
      expect(() => window.append(Float32Array.of(0, bad, 0))).toThrow('finite');
    }
  });
});
