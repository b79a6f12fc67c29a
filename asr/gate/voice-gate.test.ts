import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VAD_FRAME_SAMPLES, type VadRequest } from './silero-vad.js';
import type { JudgedFrame, SpeechEvent } from './speech-detector.js';
import { VadBatcher } from './vad-batcher.js';
import { VoiceGate } from './voice-gate.js';

const ENDPOINT_SAMPLES = 4 * VAD_FRAME_SAMPLES;

/**
 * A recurrent model in small: loud frames are speech, and so is the frame after one. Like the real one it answers later and
 * writes into the state that it was given.
 */
const recurrentVad = {
  judge: (requests: readonly VadRequest[]): Promise<Float32Array> =>
    new Promise((resolve) => {
      setImmediate(() => {
        const probabilities = requests.map(({ frame, state }) => {
          const loudness = Math.abs(frame[0] ?? 0) / 32768;
          const before = state.recurrent[0] ?? 0;
          state.recurrent[0] = loudness;
          return Math.max(loudness, before / 2);
        });
        resolve(Float32Array.from(probabilities));
      });
    }),
};

type Told = JudgedFrame & { readonly event: SpeechEvent | undefined };

function createGate(firstSample = 0): { gate: VoiceGate; told: Told[] } {
  const told: Told[] = [];
  const batcher = new VadBatcher(recurrentVad, (error) => {
    throw error;
  });
  const gate = new VoiceGate({
    batcher,
    firstSample,
    endpointSilenceSamples: () => ENDPOINT_SAMPLES,
    judged: (frame, event) => told.push({ ...frame, event }),
  });
  return { gate, told };
}

const frame = (amplitude: number): Int16Array =>
  Int16Array.from({ length: VAD_FRAME_SAMPLES }, (_, i) => (i % 2 === 0 ? amplitude : -amplitude));

function audioOf(amplitudes: readonly number[]): Int16Array {
  const pcm = new Int16Array(amplitudes.length * VAD_FRAME_SAMPLES);
  amplitudes.forEach((amplitude, index) => pcm.set(frame(amplitude), index * VAD_FRAME_SAMPLES));
  return pcm;
}

const amplitudes = fc.array(fc.constantFrom(0, 3, 1000, 12_000, 30_000), { minLength: 1, maxLength: 40 });

describe('VoiceGate', () => {
  it('comes to the same verdicts and events however the audio is chopped and however long it waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        amplitudes,
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (levels, cuts, waitsAfterEach) => {
          const pcm = audioOf(levels);
          const whole = createGate();
          whole.gate.push(pcm);
          await whole.gate.idle();

          const chopped = createGate();
          let at = 0;
          for (let i = 0; at < pcm.length; i++) {
            const next = at + (cuts[i % cuts.length] ?? 1);
            chopped.gate.push(pcm.subarray(at, next));
            if (waitsAfterEach) await chopped.gate.idle();
            at = next;
          }
          await chopped.gate.idle();

          expect(chopped.told).toEqual(whole.told);
          expect(whole.told.map(({ firstSample }) => firstSample)).toEqual(
            levels.map((_, index) => index * VAD_FRAME_SAMPLES),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is idle when every whole frame was judged', async () => {
    const { gate, told } = createGate();
    gate.push(audioOf([9000, 9000, 0]));
    gate.push(new Int16Array(100));
    expect(gate.isIdle).toBe(false);
    await gate.idle();
    expect(gate.isIdle).toBe(true);
    expect(told).toHaveLength(3);
    expect(gate.judgedThroughSample).toBe(3 * VAD_FRAME_SAMPLES);
  });

  it('settles silence without the model and without waiting', () => {
    const { gate, told } = createGate();
    gate.push(audioOf([0, 0, 3]));
    expect(told.map(({ probability }) => probability)).toEqual([0, 0, 0]);
    expect(gate.isIdle).toBe(true);
  });

  it('starts anew after a jump, as if nothing had been before, even with a verdict under way', async () => {
    const levels = [1000, 9000, 9000, 20_000, 20_000, 1000, 0, 0, 0, 0, 0, 0];
    const start = 100_000;
    const fresh = createGate(start);
    fresh.gate.push(audioOf(levels));
    await fresh.gate.idle();

    const jumped = createGate();
    jumped.gate.push(audioOf([30_000, 30_000, 30_000, 30_000]));
    jumped.gate.push(new Int16Array(77));
    await new Promise((resolve) => setImmediate(resolve));
    jumped.gate.jumpTo(start);
    const before = jumped.told.length;
    jumped.gate.push(audioOf(levels));
    await jumped.gate.idle();

    expect(before).toBeLessThan(4);
    expect(jumped.told.slice(before)).toEqual(fresh.told);
  });

  it('judges again from where a new utterance begins, against its own endpoint', async () => {
    let endpointFrames = Infinity;
    const told: Told[] = [];
    const gate = new VoiceGate({
      batcher: new VadBatcher(recurrentVad, () => undefined),
      firstSample: 0,
      endpointSilenceSamples: () => endpointFrames * VAD_FRAME_SAMPLES,
      judged: (judged, event) => told.push({ ...judged, event }),
    });
    gate.push(
      audioOf([
        ...Array<number>(10).fill(20_000),
        ...Array<number>(8).fill(0),
        ...Array<number>(4).fill(20_000),
      ]),
    );
    await gate.idle();
    const whole = told.splice(0);
    expect(whole.filter(({ event }) => event?.kind === 'end')).toEqual([]);

    endpointFrames = 3;
    gate.judgeAgainFrom(5 * VAD_FRAME_SAMPLES);

    expect(told.map(({ firstSample }) => firstSample)).toEqual(
      whole.slice(5).map(({ firstSample }) => firstSample),
    );
    const kinds = told.filter(({ event }) => event !== undefined).map(({ event }) => event?.kind);
    expect(kinds).toEqual(['end', 'start']);
    expect(gate.judgedThroughSample).toBe(22 * VAD_FRAME_SAMPLES);
  });

  it('wakes who waits for it when it is closed, and tells nothing more', async () => {
    const { gate, told } = createGate();
    gate.push(audioOf([9000, 9000]));
    const idle = gate.idle();
    gate.close();
    await idle;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(told).toEqual([]);
  });
});
