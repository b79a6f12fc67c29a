import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nonSpeech, ownSpeech } from '../testing/clips.js';
import { SileroVad, VAD_FRAME_SAMPLES, VadState } from './silero-vad.js';

const ownSounds = ['pink-noise', 'mains-hum', 'key-clicks', 'test-tone'];

let vad: SileroVad;
beforeAll(async () => {
  vad = await SileroVad.create();
});
afterAll(async () => {
  await vad.close();
});

function framesOf(pcm: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(pcm.length / VAD_FRAME_SAMPLES) }, (_, index) =>
    pcm.subarray(index * VAD_FRAME_SAMPLES, (index + 1) * VAD_FRAME_SAMPLES),
  );
}

async function judgeAll(pcm: Int16Array): Promise<number[]> {
  const state = new VadState();
  const probabilities: number[] = [];
  for (const frame of framesOf(pcm)) probabilities.push((await vad.judge([{ frame, state }]))[0] ?? NaN);
  return probabilities;
}

const share = (values: readonly number[], isWanted: (value: number) => boolean): number =>
  values.filter(isWanted).length / values.length;

describe('SileroVad', () => {
  it('finds speech in speech, and hardly any in digital silence and other sounds', async () => {
    const [speech] = await ownSpeech('short-01');
    expect(share(await judgeAll(speech!.pcm), (probability) => probability > 0.5)).toBeGreaterThan(0.7);
    const quiet = await judgeAll(new Int16Array(20 * VAD_FRAME_SAMPLES));
    expect(Math.max(...quiet)).toBeLessThan(0.1);
    for (const { id, pcm } of await nonSpeech()) {
      if (!ownSounds.includes(id)) continue;
      expect(
        share(await judgeAll(pcm), (probability) => probability > 0.35),
        id,
      ).toBeLessThan(0.1);
    }
  });

  it('gives a stream the same probabilities in a batch as alone', async () => {
    const [first, second] = await ownSpeech('short');
    const tracks = [first!.pcm, second!.pcm, new Int16Array(first!.pcm.length)].map((pcm) =>
      framesOf(pcm).slice(0, 40),
    );
    const alone = await Promise.all(
      [first!.pcm, second!.pcm, new Int16Array(first!.pcm.length)].map((pcm) =>
        judgeAll(pcm.subarray(0, 40 * VAD_FRAME_SAMPLES)),
      ),
    );
    const states = tracks.map(() => new VadState());
    for (let index = 0; index < 40; index++) {
      const requests = tracks.map((frames, track) => ({ frame: frames[index]!, state: states[track]! }));
      const batched = await vad.judge(requests);
      batched.forEach((probability, track) => {
        expect(Math.abs(probability - alone[track]![index]!)).toBeLessThan(1e-4);
      });
    }
  });

  it('knows nothing of what was before once its state is reset', async () => {
    const [speech] = await ownSpeech('short-01');
    const frames = framesOf(speech!.pcm);
    const used = new VadState();
    for (const frame of frames.slice(0, 20)) await vad.judge([{ frame, state: used }]);
    used.reset();
    const again = await vad.judge([{ frame: frames[20]!, state: used }]);
    const fresh = await vad.judge([{ frame: frames[20]!, state: new VadState() }]);
    expect(again[0]).toBe(fresh[0]);
  });

  it('finishes the call under way before it is closed', async () => {
    const own = await SileroVad.create();
    const call = own.judge([{ frame: new Int16Array(VAD_FRAME_SAMPLES), state: new VadState() }]);
    const closed = own.close();
    expect((await call)[0]).toBeLessThan(0.5);
    await closed;
  });
});
