import { describe, expect, it } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import type { CaptionedWord } from '../engine.js';
import { SampleStamps } from './sample-stamps.js';
import { WordTrace } from './word-trace.js';

const word: CaptionedWord = { text: 'word', startSample: sampleIndex(50), endSample: sampleIndex(90) };

/** Audio that arrives, and is handed on, 100 samples every 10 ms; what the recogniser says 100 ms after the last of it. */
function momentsOf(heard: { decodedThrough: number; heardThrough?: number }) {
  let nowMs = 0;
  const arrivals = new SampleStamps();
  const trace = new WordTrace({ arrivals, now: () => nowMs });
  for (let sample = 100; sample <= 1000; sample += 100) {
    nowMs += 10;
    arrivals.add(sample, nowMs);
    trace.handed(sample);
  }
  nowMs += 100;
  trace.heard({
    committed: [],
    provisional: [],
    decodedThroughSample: sampleIndex(heard.decodedThrough),
    ...(heard.heardThrough === undefined ? {} : { heardThroughSample: sampleIndex(heard.heardThrough) }),
    isFinal: false,
    callMs: 5,
  });
  const { moments } = trace.stamped({
    kind: 'segment',
    segment: 1,
    words: [word],
    stableWords: 0,
    isFinal: false,
    decodedThroughSample: sampleIndex(heard.decodedThrough),
  });
  return moments?.[0];
}

describe('WordTrace', () => {
  it('counts the wait for a chunk up to the audio that made it whole', () => {
    expect(momentsOf({ decodedThrough: 600 })).toMatchObject({
      arrivedAtMs: 10,
      gatedAtMs: 10,
      fedAtMs: 60,
      decodedAtMs: 200,
      decodeMs: 5,
    });
  });

  it('counts the wait for a look ahead up to the audio that the look needed, not to the last whole chunk', () => {
    expect(momentsOf({ decodedThrough: 0, heardThrough: 900 })).toMatchObject({
      fedAtMs: 90,
      decodedAtMs: 200,
    });
  });
});
