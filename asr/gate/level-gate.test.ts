import { describe, expect, it } from 'vitest';
import { LevelGate, levelDbfs } from './level-gate.js';
import { VAD_FRAME_SAMPLES } from './silero-vad.js';

/** A square wave has the level of its amplitude. */
const frameAt = (dbfs: number): Int16Array => {
  const amplitude = Math.round(32768 * 10 ** (dbfs / 20));
  return Int16Array.from({ length: VAD_FRAME_SAMPLES }, (_, i) => (i % 2 === 0 ? amplitude : -amplitude));
};

/** What the gate says about frames of these levels. */
const verdicts = (gate: LevelGate, levels: readonly number[]): boolean[] =>
  levels.map((dbfs) => gate.isQuiet(frameAt(dbfs)));

const FRAMES_IN_FIVE_SECONDS = 160;
const steady = (dbfs: number): number[] => Array.from({ length: FRAMES_IN_FIVE_SECONDS }, () => dbfs);

describe('levelDbfs', () => {
  it('is the root mean square relative to full scale', () => {
    expect(levelDbfs(frameAt(-20))).toBeCloseTo(-20, 1);
    expect(levelDbfs(new Int16Array(VAD_FRAME_SAMPLES))).toBe(-Infinity);
    expect(levelDbfs(new Int16Array(0))).toBe(-Infinity);
  });
});

describe('LevelGate', () => {
  it('finds digital silence and whatever is below the floor quiet from the first frame on', () => {
    const gate = new LevelGate();
    expect(gate.isQuiet(new Int16Array(VAD_FRAME_SAMPLES))).toBe(true);
    expect(verdicts(gate, [-70, -63])).toEqual([true, true]);
  });

  it('lets speech through at once, before it knows the background', () => {
    expect(verdicts(new LevelGate(), [-30, -50])).toEqual([false, false]);
  });

  it('finds a steady background quiet once it has heard it for a while', () => {
    const judged = verdicts(new LevelGate(), steady(-45));
    expect(judged[0]).toBe(false);
    expect(judged.slice(FRAMES_IN_FIVE_SECONDS / 2)).not.toContain(false);
  });

  it('lets speech through that rises above the background, and nothing less', () => {
    const gate = new LevelGate();
    verdicts(gate, steady(-45));
    expect(verdicts(gate, [-43, -38])).toEqual([true, false]);
  });

  it('forgets a background that has become quieter or louder', () => {
    const gate = new LevelGate();
    verdicts(gate, steady(-30));
    verdicts(gate, steady(-55));
    expect(verdicts(gate, [-48])).toEqual([false]);
    verdicts(gate, steady(-30));
    expect(verdicts(gate, [-30])).toEqual([true]);
  });
});
