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
});
