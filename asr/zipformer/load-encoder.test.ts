import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readOnnxMetadata } from '../models/onnx-file.js';
import type { InferenceSession } from '../onnx-runtime.js';
import { toFloat32 } from '../audio/audio-frame.js';
import { ownSpeech, realSpeech } from '../testing/clips.js';
import { describeWithModel } from '../testing/real-model.js';
import { Encoder, type EncoderInput } from './encoder.js';
import type { EncoderState } from './encoder-state.js';
import { FeatureWindow } from './feature-window.js';
import { OnnxGraph } from './graph/onnx-graph.js';
import { type LoadedEncoder, loadEncoder, type LoadEncoderOptions } from './load-encoder.js';
import { MEL_BINS, MelFilterBank } from './mel-filter-bank.js';
import { Sessions } from './sessions.js';

const SPEECH = ['sense-0880', 'spk1_snt1', 'jfk'];

async function speech(): Promise<Float32Array[]> {
  const real = (await Promise.all(SPEECH.map(realSpeech))).filter((clip) => clip !== undefined);
  const clips = real.length > 0 ? real : (await ownSpeech('')).slice(0, 3);
  return clips.map(({ pcm }) => toFloat32(pcm));
}

/** What an encoder makes of each chunk of the clips, side by side. */
async function encodeAll(encoder: Encoder, clips: readonly Float32Array[]): Promise<Float32Array[]> {
  const { windowFrames, hopFrames } = encoder.shape;
  const bank = new MelFilterBank();
  const outputs: Float32Array[] = [];
  for (const clip of clips) {
    const features = new FeatureWindow(bank, windowFrames);
    features.append(clip);
    const state = encoder.newState();
    while (features.isFull) {
      features.fill();
      const output = await encoder.run([{ features: features.features, state, keepsState: true }]);
      outputs.push(output.slice(0, encoder.outputFrames * encoder.outputWidth), state.floats.slice());
      features.advance(hopFrames);
    }
  }
  return outputs;
}

describeWithModel('loadEncoder', (model) => {
  const load = async (
    path: string,
    wrap: (sessions: Sessions) => LoadEncoderOptions['sessions'] = (sessions) => sessions,
    isGuarded = false,
  ): Promise<LoadedEncoder & { close: () => Promise<void> }> => {
    const sessions = new Sessions(1);
    const metadata = await readOnnxMetadata(path);
    const loaded = await loadEncoder({ path, metadata, sessions: wrap(sessions), isGuarded });
    return { ...loaded, close: () => sessions.close() };
  };

  it('gives the same as the original on real speech, states included, within 1e-5 of the largest value', async () => {
    const { session, shape, isRewritten, close } = await load(model.files.encoder);
    expect(isRewritten).toBe(true);
    const original = new Sessions(1);
    const clips = await speech();
    const expected = await encodeAll(
      await Encoder.create({ session: await original.open(model.files.encoder), shape }),
      clips,
    );
    const actual = await encodeAll(await Encoder.create({ session, shape }), clips);
    expect(expected.length).toBeGreaterThan(20);
    for (const [index, values] of expected.entries()) {
      const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
      const farthest = values.reduce(
        (max, value, at) => Math.max(max, Math.abs(value - (actual[index]?.[at] ?? NaN))),
        0,
      );
      expect(farthest).toBeLessThanOrEqual(1e-5 * largest);
    }
    await close();
    await original.close();
  });

  it('asks a guarded encoder from the first call on in which activations overflow, and no stream is the worse for it', async () => {
    const original = new Sessions(1);
    const { session, shape, mayOverflow, close } = await load(model.files.encoder);
    expect(mayOverflow).toBe(true);
    let opened = 0;
    const guarded = await load(model.files.encoder, undefined, true);
    expect(guarded.mayOverflow).toBe(false);
    const openGuarded = (): Promise<InferenceSession> => {
      opened += 1;
      return Promise.resolve(guarded.session);
    };
    const encoder = await Encoder.create({ session, shape, openGuarded });
    const reference = await Encoder.create({ session: await original.open(model.files.encoder), shape });
    const length = shape.windowFrames * MEL_BINS;
    // No sound has such features: loud and silent in turns, value for value.
    const hostile = Float32Array.from({ length }, (_, at) => ((at * 7919) % 97 < 48 ? -15.9 : 6));
    const calm = Float32Array.from({ length }, (_, at) => -8 + ((at * 7919) % 97) / 25);
    const statesOf = (of: Encoder): EncoderState[] => [of.newState(), of.newState()];
    const [actual, expected] = [statesOf(encoder), statesOf(reference)];
    for (const [call, features] of [
      [calm, calm],
      [calm, hostile],
      [calm, calm],
    ].entries()) {
      const inputsOf = (states: EncoderState[]): EncoderInput[] =>
        states.map((state, row) => ({ features: features[row]!, state, keepsState: true }));
      const output = (await encoder.run(inputsOf(actual))).slice(
        0,
        2 * encoder.outputFrames * encoder.outputWidth,
      );
      expect(opened).toBe(Math.min(call, 1));
      const wanted = await reference.run(inputsOf(expected));
      const largest = wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
      for (const [at, value] of output.entries())
        if (!(Math.abs(value - wanted[at]!) <= 1e-4 * largest))
          throw new Error(`${at}: ${value}, not ${wanted[at]!}`);
    }
    await Promise.all([close(), guarded.close(), original.close()]);
  });

  it('keeps the original when the rewritten graph gives anything else', async () => {
    const tampering = (sessions: Sessions): LoadEncoderOptions['sessions'] => ({
      release: (session) => sessions.release(session),
      open: (file) => {
        if (typeof file === 'string') return sessions.open(file);
        const graph = OnnxGraph.parse(file)!;
        graph.addConstant('swoosh_one', { dims: [], values: Float64Array.of(1.05) });
        return sessions.open(graph.serialise());
      },
    });
    const { isRewritten, isBatchIndependent, session, close } = await load(model.files.encoder, tampering);
    expect({ isRewritten, isBatchIndependent }).toEqual({ isRewritten: false, isBatchIndependent: true });
    expect(session.outputNames).toContain('encoder_out');
    await close();
  });

  it('keeps the original when the runtime does not take the rewritten graph', async () => {
    const refusing = (sessions: Sessions): LoadEncoderOptions['sessions'] => ({
      release: (session) => sessions.release(session),
      open: (file) =>
        typeof file === 'string' ? sessions.open(file) : sessions.open(file.subarray(0, 1000)),
    });
    const { isRewritten, close } = await load(model.files.encoder, refusing);
    expect(isRewritten).toBe(false);
    await close();
  });

  it('writes the weights of a small int8 encoder out as floats, so that neighbours in a call change nothing', async () => {
    const path = join(dirname(model.files.encoder), 'encoder.int8.onnx');
    const { isRewritten, isBatchIndependent, session, shape, close } = await load(path);
    expect({ isRewritten, isBatchIndependent }).toEqual({ isRewritten: true, isBatchIndependent: true });
    const encoder = await Encoder.create({ session, shape });
    const [clip] = await speech();
    const bank = new MelFilterBank();
    const windows = [0, 9000, 21_000, 40_000].map((from) => {
      const features = new FeatureWindow(bank, shape.windowFrames);
      features.append(clip!.subarray(from, from + 16_000));
      features.fill();
      return features.features;
    });
    const inputOf = (features: Float32Array): EncoderInput => ({
      features,
      state: encoder.newState(),
      keepsState: true,
    });
    const length = encoder.outputFrames * encoder.outputWidth;
    const together = await encoder.run(windows.map(inputOf));
    const rows = windows.map((_, row) => together.slice(row * length, (row + 1) * length));
    for (const [row, features] of windows.entries()) {
      const alone = await encoder.run([inputOf(features)]);
      const farthest = Math.max(
        ...alone.subarray(0, length).map((value, at) => Math.abs(value - rows[row]![at]!)),
      );
      expect(farthest).toBeLessThan(1e-3);
    }
    await close();
  });
});
