import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SampleClock } from './sample-clock.js';

const FRAME_SAMPLES = 640;
const FRAME_MS = 40;
const START_MS = 1_700_000_000_000;

interface Sender {
  readonly clock: SampleClock;
  /** Frames sent. */
  sent: number;
  /** When the last frame was spoken to its end. */
  spokenMs: number;
  lastArrivalMs: number;
}

const sender = (): Sender => ({
  clock: new SampleClock(),
  sent: 0,
  spokenMs: START_MS,
  lastArrivalMs: START_MS,
});

/** One more frame is spoken and arrives `delayMs` later, never before the one sent before it. */
function speak(sender: Sender, delayMs: number, frameMs = FRAME_MS): void {
  sender.spokenMs += frameMs;
  sender.lastArrivalMs = Math.max(sender.lastArrivalMs, sender.spokenMs + delayMs);
  const firstSample = sender.sent * FRAME_SAMPLES;
  sender.sent += 1;
  sender.clock.arrivedAt({
    firstSample,
    endSample: firstSample + FRAME_SAMPLES,
    arrivalMs: sender.lastArrivalMs,
  });
}

/** How much later than spoken the end of the last frame is thought to be. */
const errorMs = ({ clock, sent, spokenMs }: Sender): number =>
  clock.toEpochMs(sent * FRAME_SAMPLES) - spokenMs;

const delaysMs = fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { minLength: 1, maxLength: 400 });

describe('SampleClock', () => {
  it('is exact to the millisecond when nothing is delayed', () => {
    const speaker = sender();
    for (let frame = 0; frame < 100; frame++) speak(speaker, 0);
    expect(speaker.clock.toEpochMs(0)).toBe(START_MS);
    expect(speaker.clock.toEpochMs(16_000)).toBe(START_MS + 1000);
    expect(Number.isInteger(speaker.clock.toEpochMs(7))).toBe(true);
  });

  it('is never early, and late by no more than the smallest delay so far', () => {
    fc.assert(
      fc.property(delaysMs, (delays) => {
        const speaker = sender();
        let smallestMs = Infinity;
        for (const delayMs of delays) {
          speak(speaker, delayMs);
          smallestMs = Math.min(smallestMs, speaker.lastArrivalMs - speaker.spokenMs);
          expect(errorMs(speaker)).toBeGreaterThanOrEqual(-1);
          expect(errorMs(speaker)).toBeLessThanOrEqual(smallestMs + 1);
        }
      }),
    );
  });

  it('is right again after a stall, once what was stuck has come in a burst', () => {
    fc.assert(
      fc.property(delaysMs, fc.integer({ min: 1000, max: 20_000 }), (delays, stallMs) => {
        const speaker = sender();
        for (const delayMs of delays) speak(speaker, delayMs % 50);
        const stuckUntilMs = speaker.spokenMs + stallMs;
        while (speaker.spokenMs + FRAME_MS < stuckUntilMs)
          speak(speaker, stuckUntilMs - speaker.spokenMs - FRAME_MS);
        for (let frame = 0; frame < 3; frame++) speak(speaker, 20);
        expect(Math.abs(errorMs(speaker))).toBeLessThanOrEqual(51);
      }),
    );
  });

  it('follows a speaker who sends nothing for a while', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1100, max: 600_000 }), { minLength: 1, maxLength: 100 }),
        (pausesMs) => {
          const speaker = sender();
          for (const pauseMs of pausesMs) {
            speak(speaker, 10);
            speaker.spokenMs += pauseMs;
            speak(speaker, 30);
            speak(speaker, 10);
            expect(Math.abs(errorMs(speaker))).toBeLessThanOrEqual(31);
          }
        },
      ),
    );
  });

  it('keeps the times of what was said before a pause', () => {
    const speaker = sender();
    for (let frame = 0; frame < 25; frame++) speak(speaker, 0);
    speaker.spokenMs += 60_000;
    for (let frame = 0; frame < 25; frame++) speak(speaker, 0);
    expect(speaker.clock.toEpochMs(8000)).toBe(START_MS + 500);
    expect(speaker.clock.toEpochMs(24_000)).toBe(START_MS + 61_500);
  });

  it.each([
    ['slow', 1.0005],
    ['fast', 0.9995],
  ])('follows a client clock that is %s by 500 ppm, for hours', (_, factor) => {
    const speaker = sender();
    let worstMs = 0;
    for (let frame = 0; frame < (2 * 3_600_000) / FRAME_MS; frame++) {
      speak(speaker, (frame * 7) % 30, FRAME_MS * factor);
      worstMs = Math.max(worstMs, Math.abs(errorMs(speaker)));
    }
    // Two windows of ten seconds at 500 ppm are 10 ms; the delays are 30 ms.
    expect(worstMs).toBeLessThanOrEqual(41);
  });

  it('never runs backwards along the audio, whatever arrives when', () => {
    const arrivals = fc.array(
      fc.record({
        pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 })),
        delayMs: fc.integer({ min: 0, max: 3000 }),
        // What is stuck behind the first frame comes with it.
        burstFrames: fc.integer({ min: 1, max: 80 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(arrivals, (steps) => {
        const speaker = sender();
        for (const { pauseMs, delayMs, burstFrames } of steps) {
          speaker.spokenMs += pauseMs;
          for (let frame = 0; frame < burstFrames; frame++) speak(speaker, frame === 0 ? delayMs : 0);
          let beforeMs = -Infinity;
          for (let sample = 0; sample <= speaker.sent * FRAME_SAMPLES; sample += FRAME_SAMPLES / 2) {
            const nowMs = speaker.clock.toEpochMs(sample);
            expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
            beforeMs = nowMs;
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never ends a span before it begins', () => {
    const { startMs, endMs } = new SampleClock(() => START_MS).spanToEpochMs(32_000, 16_000);
    expect(endMs).toBe(startMs);
  });
});

describe('a break in the audio', () => {
  /** A speaker on a line of its own, with the truth about every frame. */
  class Line {
    nowMs = START_MS;
    readonly clock = new SampleClock(() => this.nowMs);
    readonly frames: { readonly firstSample: number; readonly fromMs: number; readonly toMs: number }[] = [];
    sent = 0;

    /** Frames spoken from now on, one after the other; they arrive together when the last one has been spoken. */
    speak(frames: number): void {
      const spoken = Array.from({ length: frames }, () => {
        const firstSample = this.sent;
        this.sent += FRAME_SAMPLES;
        const fromMs = this.nowMs;
        this.nowMs += FRAME_MS;
        this.frames.push({ firstSample, fromMs, toMs: this.nowMs });
        return firstSample;
      });
      for (const firstSample of spoken)
        this.clock.arrivedAt({ firstSample, endSample: firstSample + FRAME_SAMPLES, arrivalMs: this.nowMs });
    }
  }

  const talk = fc.record({
    // How many frames come together, and how often.
    bursts: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
    muteMs: fc.integer({ min: 0, max: 8000 }),
  });

  it('that the speaker told of: what was said before it stands before it, what was said after it after it', () => {
    fc.assert(
      fc.property(fc.array(talk, { minLength: 2, maxLength: 6 }), (talks) => {
        const line = new Line();
        const breaks: { readonly sample: number; readonly fromMs: number; readonly toMs: number }[] = [];
        for (const { bursts, muteMs } of talks) {
          for (const frames of bursts) line.speak(frames);
          line.clock.paused();
          breaks.push({ sample: line.sent, fromMs: line.nowMs, toMs: line.nowMs + muteMs });
          line.nowMs += muteMs;
        }
        for (const { firstSample } of line.frames) {
          // A word may be thought to begin a little before its first sound.
          const span = line.clock.spanToEpochMs(Math.max(0, firstSample - 4800), firstSample + FRAME_SAMPLES);
          for (const { sample, fromMs } of breaks) {
            if (firstSample < sample) expect(span.endMs).toBeLessThanOrEqual(fromMs + 1);
            else expect(span.startMs).toBeGreaterThanOrEqual(fromMs - 1);
          }
        }
      }),
    );
  });

  it.each([50, 300, 700, 5000])(
    'of %i ms that the speaker told of is no part of the word after it, once the next frames are there',
    (muteMs) => {
      const line = new Line();
      for (let frame = 0; frame < 50; frame++) line.speak(1);
      line.clock.paused();
      line.nowMs += muteMs;
      const resumedAtMs = line.nowMs;
      const resumedAtSample = line.sent;
      for (let frame = 0; frame < 10; frame++) line.speak(1);
      const { startMs, endMs } = line.clock.spanToEpochMs(resumedAtSample - 4800, resumedAtSample + 4800);
      expect(startMs).toBe(resumedAtMs);
      expect(endMs).toBe(resumedAtMs + 300);
      const before = line.clock.spanToEpochMs(resumedAtSample - 4800, resumedAtSample);
      expect(before.endMs).toBe(START_MS + 2000);
    },
  );

  it('that nobody told of is no part of a word either', () => {
    const line = new Line();
    for (let frame = 0; frame < 25; frame++) line.speak(1);
    line.nowMs += 6000;
    const resumedAtMs = line.nowMs;
    const resumedAtSample = line.sent;
    for (let frame = 0; frame < 25; frame++) line.speak(1);
    const { startMs } = line.clock.spanToEpochMs(resumedAtSample - 4800, resumedAtSample + 4800);
    expect(startMs).toBe(resumedAtMs);
  });

  it('that a client tells of when it sends audio again: each part stands where it was said', () => {
    const line = new Line();
    // Said ten seconds ago for two seconds, six seconds ago for one, and then live.
    expect(line.clock.spoken(0, 10_000)).toBe(false);
    for (let frame = 0; frame < 50; frame++)
      line.clock.arrivedAt({ firstSample: frame * 640, endSample: (frame + 1) * 640, arrivalMs: line.nowMs });
    expect(line.clock.spoken(32_000, 6000)).toBe(true);
    for (let frame = 50; frame < 75; frame++)
      line.clock.arrivedAt({ firstSample: frame * 640, endSample: (frame + 1) * 640, arrivalMs: line.nowMs });
    expect(line.clock.spanToEpochMs(0, 16_000)).toEqual({
      startMs: START_MS - 10_000,
      endMs: START_MS - 9000,
    });
    expect(line.clock.spanToEpochMs(16_000, 32_000).endMs).toBe(START_MS - 8000);
    expect(line.clock.spanToEpochMs(30_000, 40_000)).toEqual({
      startMs: START_MS - 6000,
      endMs: START_MS - 5500,
    });
    // What a client says within a network's delay of what is known is no break.
    expect(line.clock.spoken(48_000, 5000)).toBe(false);
  });
});
