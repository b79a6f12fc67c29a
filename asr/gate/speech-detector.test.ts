import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VAD_FRAME_SAMPLES } from './silero-vad.js';
import { type JudgedFrame, SpeechDetector, type SpeechEvent } from './speech-detector.js';

const ENDPOINT_FRAMES = 19;
const ENDPOINT_SAMPLES = ENDPOINT_FRAMES * VAD_FRAME_SAMPLES;

function frames(probabilities: readonly number[]): JudgedFrame[] {
  return probabilities.map((probability, index) => ({
    firstSample: index * VAD_FRAME_SAMPLES,
    endSample: (index + 1) * VAD_FRAME_SAMPLES,
    probability,
  }));
}

function eventsOf(probabilities: readonly number[], endpointSamples = ENDPOINT_SAMPLES): SpeechEvent[] {
  const detector = new SpeechDetector();
  return frames(probabilities)
    .map((frame) => detector.judge(frame, endpointSamples))
    .filter((event) => event !== undefined);
}

const times = (count: number, probability: number): number[] =>
  Array.from({ length: count }, () => probability);

describe('SpeechDetector', () => {
  it('reports where speech began and where the silence after it was long enough', () => {
    const events = eventsOf([...times(3, 0), ...times(5, 0.9), ...times(ENDPOINT_FRAMES + 10, 0)]);
    expect(events).toEqual([
      { kind: 'start', onsetSample: 3 * VAD_FRAME_SAMPLES },
      { kind: 'end', atSample: (8 + ENDPOINT_FRAMES) * VAD_FRAME_SAMPLES },
    ]);
  });

  it('does not open for single clicks, however many', () => {
    expect(eventsOf(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1 : 0)))).toEqual([]);
  });

  it('goes on through a pause that is one frame too short', () => {
    const events = eventsOf([...times(4, 0.9), ...times(ENDPOINT_FRAMES - 1, 0), ...times(4, 0.9)]);
    expect(events.map((event) => event.kind)).toEqual(['start']);
  });

  it('counts doubtful frames neither as the beginning of speech nor as silence in it', () => {
    expect(eventsOf(times(50, 0.3))).toEqual([]);
    const events = eventsOf([...times(4, 0.9), ...times(50, 0.3)]);
    expect(events.map((event) => event.kind)).toEqual(['start']);
  });

  it('ends at once when the silence already suffices for the shorter endpoint of a long segment', () => {
    const detector = new SpeechDetector();
    const judged = frames([...times(4, 0.9), ...times(11, 0)]);
    const last = judged.pop()!;
    for (const frame of judged) detector.judge(frame, ENDPOINT_SAMPLES);
    expect(detector.judge(last, 8 * VAD_FRAME_SAMPLES)).toEqual({ kind: 'end', atSample: last.endSample });
  });

  it('counts silence anew after continueSpeech', () => {
    const detector = new SpeechDetector();
    const judged = frames([...times(4, 0.9), ...times(2 * ENDPOINT_FRAMES, 0)]);
    const half = 4 + ENDPOINT_FRAMES - 1;
    for (const frame of judged.slice(0, half)) detector.judge(frame, ENDPOINT_SAMPLES);
    detector.continueSpeech();
    const ends = judged.slice(half).map((frame) => detector.judge(frame, ENDPOINT_SAMPLES));
    expect(ends.findIndex((event) => event?.kind === 'end')).toBe(ENDPOINT_FRAMES - 1);
  });

  it('needs the whole onset again after reset', () => {
    const detector = new SpeechDetector();
    const [first, second, third] = frames(times(3, 0.9));
    detector.judge(first!, ENDPOINT_SAMPLES);
    detector.reset();
    expect(detector.judge(second!, ENDPOINT_SAMPLES)).toBeUndefined();
    expect(detector.judge(third!, ENDPOINT_SAMPLES)).toEqual({
      kind: 'start',
      onsetSample: second!.firstSample,
    });
  });

  it('alternates between start and end, in order, and is speaking exactly in between', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (probabilities) => {
        const detector = new SpeechDetector();
        let isSpeaking = false;
        let lastSample = 0;
        for (const frame of frames(probabilities)) {
          const event = detector.judge(frame, 3 * VAD_FRAME_SAMPLES);
          if (event !== undefined) {
            expect(event.kind).toBe(isSpeaking ? 'end' : 'start');
            const sample = event.kind === 'start' ? event.onsetSample : event.atSample;
            expect(sample).toBeGreaterThanOrEqual(lastSample);
            lastSample = sample;
            isSpeaking = !isSpeaking;
          }
          expect(detector.isSpeaking).toBe(isSpeaking);
        }
      }),
    );
  });
});
