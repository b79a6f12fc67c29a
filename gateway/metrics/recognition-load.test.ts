import { beforeEach, describe, expect, it } from 'vitest';
import { RecognitionLoad } from './recognition-load.js';

describe('the load of recognition', () => {
  let nowMs: number;
  let load: RecognitionLoad;

  beforeEach(() => {
    nowMs = 1_000_000;
    load = new RecognitionLoad({ children: 2, now: () => nowMs });
  });

  /** Two children of which each decodes for `share` of every 100 ms. */
  function decodeFor(seconds: number, share: number): void {
    for (let step = 0; step < seconds * 10; step++) {
      nowMs += 100;
      for (const child of [1, 2]) load.noteCall({ callMs: 100 * share, audioMs: 1000 * child });
    }
  }

  it('is nothing while nothing is decoded', () => {
    expect(load.busyShare).toBe(0);
    nowMs += 60_000;
    expect(load.busyShare).toBe(0);
  });

  it.each([0.1, 0.5, 0.9])('is the share of the time in which all children decode: %d', (share) => {
    decodeFor(60, share);
    expect(load.busyShare).toBeCloseTo(share, 1);
  });

  it('tells how much decoding a second of speech takes', () => {
    expect(load.realTimeFactor).toBe(0);
    decodeFor(20, 0.3);
    expect(load.realTimeFactor).toBeCloseTo(60 / 3000, 10);
  });

  it('is known soon after the start', () => {
    decodeFor(1, 0.5);
    expect(load.busyShare).toBeCloseTo(0.5, 1);
  });

  it('never exceeds 1, however long the calls', () => {
    decodeFor(20, 3);
    expect(load.busyShare).toBe(1);
  });

  it('forgets what was ten seconds ago', () => {
    decodeFor(30, 1);
    nowMs += 11_000;
    expect(load.busyShare).toBe(0);
  });
});
