import { expect, it } from 'vitest';
import { WordTracker } from '../asr/index.js';
import { type LoadedClip, scheduleOnce } from './clip-schedule.js';
import { retimeWords } from './retime-words.js';

const clip = (id: string, text: string): LoadedClip => ({
  id,
  path: `${id}.wav`,
  text,
  words: text.split(' ').map((word, at) => ({ text: word, startMs: at * 400, endMs: at * 400 + 300 })),
  speech: null,
  isHandLabelled: false,
  pcm: new Int16Array(16 * 1200),
});

it('puts words where they were said, also misheard ones and those too many', () => {
  const schedule = scheduleOnce([clip('a', 'one two three'), clip('b', 'four five six')]);
  const tracker = new WordTracker();
  const words = ['ONE', 'TOO', 'THREE', 'UM', 'FOUR', 'FIVE', 'SIX'].map((text) => ({
    text,
    startMs: 0,
    endMs: 0,
  }));
  tracker.observe({ segment: 's', words, isFinal: true, nowMs: 9000 });
  const retimed = retimeWords(tracker.result(), { schedule, startAtMs: 50 });
  const startMs = performance.timeOrigin + 50;
  // The second clip begins after the first and a pause: at 2,200 ms.
  expect(retimed.words.map((word) => Math.round(word.startMs - startMs))).toEqual([
    0, 400, 800, 800, 2200, 2600, 3000,
  ]);
  expect(retimed.words.map(({ firstShownMs }) => firstShownMs)).toEqual([
    9000, 9000, 9000, 9000, 9000, 9000, 9000,
  ]);
});
