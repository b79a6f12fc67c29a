import { describe, expect, it } from 'vitest';
import { WordTracker } from '../asr/index.js';
import { type LoadedClip, scheduleClips } from './clip-schedule.js';
import { scoreClips } from './clip-score.js';

const clip = (id: string, text: string | null): LoadedClip => ({
  id,
  path: `${id}.wav`,
  text,
  words:
    text === null
      ? []
      : text
          .split(' ')
          .map((word, index) => ({ text: word, startMs: index * 400, endMs: index * 400 + 300 })),
  speech: text === null ? null : { startMs: 0, endMs: 1100 },
  isHandLabelled: false,
  pcm: new Int16Array(16 * 1200),
});

/** A viewer that is shown every word `delayMs` after its end, in one segment per clip. */
function watched(
  clips: readonly { startMs: number; words: readonly string[] }[],
  delayMs: number,
): WordTracker {
  const tracker = new WordTracker();
  for (const [index, { startMs, words }] of clips.entries()) {
    const shown = words.map((text, at) => {
      const beginMs = performance.timeOrigin + startMs + at * 400;
      return { text, startMs: beginMs, endMs: beginMs + 300 };
    });
    shown.forEach((_, at) => {
      const isFinal = at === shown.length - 1;
      const nowMs = startMs + at * 400 + 300 + delayMs;
      tracker.observe({ segment: String(index), words: shown.slice(0, at + 1), isFinal, nowMs });
    });
  }
  return tracker;
}

describe('scoring clips', () => {
  it('finds the delay and the errors of each clip, undisturbed by one without transcript', () => {
    const schedule = scheduleClips(
      [clip('a', 'one two three'), clip('b', null), clip('c', 'four five six')],
      {
        first: 0,
        seconds: 60,
      },
    );
    const first = schedule.clips.slice(0, 3);
    const said = [['One', 'too', 'three.'], ['something'], ['Four', 'five', 'six.']];
    const tracker = watched(
      first.map(({ startMs }, index) => ({ startMs, words: said[index] ?? [] })),
      250,
    );
    const scored = scoreClips({ ...schedule, clips: first }, { tracking: tracker.result(), startAtMs: 0 });
    expect(scored.map(({ words }) => words)).toEqual([
      { errors: 1, spoken: 3 },
      null,
      { errors: 0, spoken: 3 },
    ]);
    expect(scored[0]?.wordLatenciesMs.map(Math.round)).toEqual([250, 250]);
    expect(scored[1]).toMatchObject({ wordLatenciesMs: [], finalLatenciesMs: [], firstPartialsMs: [] });
    expect(scored[2]?.finalLatenciesMs.map(Math.round)).toEqual([250]);
    expect(scored[2]?.firstPartialsMs.map(Math.round)).toEqual([550]);
  });

  it('counts from where speech begins and ends, also when the first and the last word were misheard', () => {
    const { clips, pcm } = scheduleClips([clip('a', 'one two three')], { first: 0, seconds: 1 });
    const tracker = watched([{ startMs: 0, words: ['Once', 'two', 'tree.'] }], 250);
    const [scored] = scoreClips({ clips, pcm }, { tracking: tracker.result(), startAtMs: 0 });
    expect(scored?.firstPartialsMs.map(Math.round)).toEqual([550]);
    expect(scored?.finalLatenciesMs.map(Math.round)).toEqual([250]);
  });

  it('takes the words around a cut inside a clip for its ends', () => {
    const tracker = watched(
      [
        { startMs: 0, words: ['One'] },
        { startMs: 400, words: ['two', 'three.'] },
      ],
      250,
    );
    const schedule = scheduleClips([clip('a', 'one two three')], { first: 0, seconds: 1 });
    const [scored] = scoreClips(schedule, { tracking: tracker.result(), startAtMs: 0 });
    expect(scored?.firstPartialsMs.map(Math.round)).toEqual([550, 550]);
    expect(scored?.finalLatenciesMs.map(Math.round)).toEqual([250, 250]);
  });
});
