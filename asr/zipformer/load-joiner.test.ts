import { expect, it } from 'vitest';
import { toFloat32 } from '../audio/audio-frame.js';
import { ownSpeech, realSpeech } from '../testing/clips.js';
import { describeWithModel } from '../testing/real-model.js';
import { FeatureWindow } from './feature-window.js';
import { Joiner } from './joiner.js';
import { MelFilterBank } from './mel-filter-bank.js';
import { loadZipformerModel, type ZipformerModel } from './model.js';
import { Sessions } from './sessions.js';

/** Encoder frames of real speech, one after the other. */
async function framesOf({ encoder }: ZipformerModel): Promise<Float32Array> {
  const clip = (await realSpeech('sense-0880')) ?? (await ownSpeech(''))[0]!;
  const features = new FeatureWindow(new MelFilterBank(), encoder.shape.windowFrames);
  features.append(toFloat32(clip.pcm));
  const state = encoder.newState();
  const frames: number[] = [];
  while (features.isFull) {
    features.fill();
    const output = await encoder.run([{ features: features.features, state, keepsState: true }]);
    frames.push(...output.subarray(0, encoder.outputFrames * encoder.outputWidth));
    features.advance(encoder.shape.hopFrames);
  }
  return Float32Array.from(frames);
}

async function scoresOf(
  joiner: Joiner,
  frames: Float32Array,
  rows: readonly Float32Array[],
): Promise<Float32Array> {
  joiner.begin(rows.length);
  for (const [index, row] of rows.entries()) joiner.add(frames, index * row.length, row);
  return (await joiner.run()).slice();
}

const indexOfLargest = (values: Float32Array): number => values.indexOf(Math.max(...values));

describeWithModel('loadJoiner', (files) => {
  it('makes rows independent of each other, and near those of the original alone', async () => {
    const model = await loadZipformerModel(files.files, 1);
    const { joiner, predictor } = model;
    const { vocabularySize } = joiner;
    expect(joiner.isBatchable).toBe(true);
    const frames = await framesOf(model);
    const count = frames.length / predictor.width;
    const rows = await predictor.rows(
      Array.from({ length: count }, (_, index) => [index % 7, (index * 31) % 500]),
    );
    const together = await scoresOf(joiner, frames, rows);
    const sessions = new Sessions(1);
    const original = await Joiner.create(await sessions.open(files.files.joiner), {
      width: predictor.width,
      isBatchable: false,
    });
    let sameToken = 0;
    for (const [index, row] of rows.entries()) {
      const frame = frames.subarray(index * row.length, (index + 1) * row.length);
      const inBatch = together.subarray(index * vocabularySize, (index + 1) * vocabularySize);
      const alone = await scoresOf(joiner, frame, [row]);
      for (const [id, score] of alone.entries()) expect(inBatch[id]).toBeCloseTo(score, 4);
      const quantised = await scoresOf(original, frame, [row]);
      const farthest = quantised.reduce(
        (max, score, id) => Math.max(max, Math.abs(score - (alone[id] ?? NaN))),
        0,
      );
      // Scores reach from -20 to 20; quantising the input to 8 bits moves them by so much.
      expect(farthest).toBeLessThan(0.5);
      if (indexOfLargest(quantised) === indexOfLargest(alone)) sameToken += 1;
    }
    expect(count).toBeGreaterThan(40);
    expect(sameToken / count).toBeGreaterThan(0.95);
    await model.close();
    await sessions.close();
  });
});
