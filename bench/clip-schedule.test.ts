import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { samplesToMs } from '../protocol/index.js';
import { type LoadedClip, PAUSE_BETWEEN_CLIPS_MS, scheduleClips, wordsAt } from './clip-schedule.js';

const clip = (id: string, durationMs: number): LoadedClip => ({
  id,
  path: `${id}.wav`,
  text: id,
  words: [{ text: id, startMs: 100, endMs: durationMs - 100 }],
  speech: { startMs: 100, endMs: durationMs - 100 },
  isHandLabelled: false,
  pcm: new Int16Array(durationMs * 16).fill(7),
});

describe('the schedule of a speaker', () => {
  it('begins where it is told and goes round', () => {
    const { clips } = scheduleClips([clip('a', 1000), clip('b', 2000)], { first: 1, seconds: 7 });
    expect(clips.map(({ clip: { id }, startMs }) => [id, startMs])).toEqual([
      ['b', 0],
      ['a', 3000],
      ['b', 5000],
    ]);
    expect(wordsAt(clips[1]!)).toEqual([{ text: 'a', startMs: 3100, endMs: 3900 }]);
  });

  it('leaves out who would keep the others waiting, unless there is nobody else', () => {
    const clips = [clip('long', 45_000), clip('a', 2000), clip('b', 3000)];
    expect(scheduleClips(clips, { first: 0, seconds: 6 }).clips.map(({ clip: { id } }) => id)).toEqual([
      'a',
      'b',
    ]);
    expect(scheduleClips(clips, { first: 0, seconds: 1 }).clips.map(({ clip: { id } }) => id)).toEqual([
      'long',
    ]);
  });

  it('has at least one clip, and never half of one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 300, max: 4000 }), { minLength: 1, maxLength: 5 }),
        fc.nat(20),
        (lengths, seconds) => {
          const loaded = lengths.map((length, index) => clip(String(index), length));
          const { clips, pcm } = scheduleClips(loaded, { first: 0, seconds });
          const last = clips.at(-1)!;
          const endMs = last.startMs + samplesToMs(last.clip.pcm.length);
          expect(samplesToMs(pcm.length)).toBe(endMs + PAUSE_BETWEEN_CLIPS_MS);
          if (clips.length > 1 || lengths.some((length) => length <= seconds * 1000))
            expect(endMs).toBeLessThanOrEqual(seconds * 1000);
          expect(pcm.filter((sample) => sample === 7)).toHaveLength(
            clips.reduce((sum, { clip: c }) => sum + c.pcm.length, 0),
          );
        },
      ),
    );
  });
});
