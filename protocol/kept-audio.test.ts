import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEPT_AUDIO_MS, KeptAudio, type KeptRun } from './kept-audio.js';

const RATE_HZ = 16_000;
const PIECE = 1600;

/** Samples whose value is their place in all that was ever said. */
const samplesFrom = (first: number, count = PIECE): Int16Array =>
  Int16Array.from({ length: count }, (_, index) => first + index);

class Speaker {
  nowMs = 1_000_000;
  spoken = 0;
  readonly kept = new KeptAudio({ sampleRateHz: RATE_HZ, now: () => this.nowMs });

  /** One piece, as it is captured. */
  speak(count = PIECE): Int16Array {
    this.nowMs += (count * 1000) / RATE_HZ;
    const pcm = samplesFrom(this.spoken, count);
    this.spoken += count;
    this.kept.add(pcm);
    return pcm;
  }
}

const allOf = (runs: readonly KeptRun[]): number[] =>
  runs.flatMap(({ pcm }) => pcm.flatMap((piece) => [...piece]));
const numbers = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

describe('KeptAudio', () => {
  it('sends another gateway everything that the former one had not made final', () => {
    const speaker = new Speaker();
    speaker.kept.welcomed({ stream: 's1', expectSample: 0, finalThroughSample: 0 });
    for (let piece = 0; piece < 5; piece++) speaker.speak();
    speaker.kept.acknowledged({ receivedThroughSample: 5 * PIECE, finalThroughSample: 2 * PIECE + 100 });
    expect(speaker.kept.resume).toEqual({ stream: 's1', fromSample: 2 * PIECE });
    const runs = speaker.kept.welcomed({ stream: 's2', expectSample: 0 });
    expect(allOf(runs)).toEqual(numbers(2 * PIECE + 100, 3 * PIECE - 100));
    expect(speaker.kept.resume).toEqual({ stream: 's2', fromSample: 0 });
  });

  it('sends everything again when the gateway ended before it had said anything', () => {
    const speaker = new Speaker();
    speaker.kept.welcomed({ stream: 's1', expectSample: 0, finalThroughSample: 0 });
    speaker.speak();
    speaker.kept.endSent();
    expect(allOf(speaker.kept.welcomed({ stream: 's2', expectSample: 0 }))).toEqual(numbers(0, PIECE));
  });

  it('sends nothing again that the same gateway has finished, although its last word was lost on the way', () => {
    const speaker = new Speaker();
    speaker.kept.welcomed({ stream: 's1', expectSample: 0, finalThroughSample: 0 });
    for (let piece = 0; piece < 3; piece++) speaker.speak();
    const runs = speaker.kept.welcomed({ stream: 's2', expectSample: 0, finalThroughSample: 2 * PIECE });
    expect(allOf(runs)).toEqual(numbers(2 * PIECE, PIECE));
  });

  it.each([
    ['what it had not heard', false, numbers(PIECE, PIECE)],
    ['nothing once it has heard the end', true, []],
  ])('sends a gateway that never says what is final %s', (_, isEndSent, expected) => {
    const speaker = new Speaker();
    speaker.kept.welcomed({ stream: 's1', expectSample: 0 });
    speaker.speak();
    speaker.speak();
    speaker.kept.acknowledged({ receivedThroughSample: PIECE });
    if (isEndSent) speaker.kept.endSent();
    expect(allOf(speaker.kept.welcomed({ stream: 's2', expectSample: 0 }))).toEqual(expected);
  });

  it('says how long ago what it sends was spoken, anew after every pause, and nothing of what is as good as live', () => {
    const speaker = new Speaker();
    for (let piece = 0; piece < 10; piece++) speaker.speak();
    speaker.nowMs += 5000;
    speaker.speak();
    speaker.speak();
    speaker.nowMs += 300;
    speaker.speak();
    const runs = speaker.kept.welcomed({ stream: 's1', expectSample: 0 });
    expect(runs.map(({ behindMs, pcm }) => [behindMs, pcm.length])).toEqual([
      [6600, 10],
      [600, 3],
    ]);
    const onlyNew = speaker.kept.welcomed({ stream: 's1', expectSample: 11 * PIECE });
    expect(onlyNew.map(({ behindMs, pcm }) => [behindMs, pcm.length])).toEqual([[undefined, 2]]);
  });

  it('keeps no more than a minute', () => {
    const speaker = new Speaker();
    speaker.kept.welcomed({ stream: 's1', expectSample: 0 });
    for (let second = 0; second < 100; second++) speaker.kept.add(new Int16Array(RATE_HZ));
    const kept = (KEPT_AUDIO_MS / 1000) * RATE_HZ;
    expect(speaker.kept.resume).toEqual({ stream: 's1', fromSample: 100 * RATE_HZ - kept });
    const [run] = speaker.kept.welcomed({ stream: 's2', expectSample: 0 });
    expect(run?.pcm.reduce((sum, { length }) => sum + length, 0)).toBe(kept);
  });

  it('has every sample made final once by one gateway or another, whatever drops, ends or dies', () => {
    const action = fc.constantFrom('speak', 'speak', 'speak', 'hear', 'final', 'drop', 'kill', 'finish');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const speaker = new Speaker();
        const final: number[] = [];
        let streams = 0;
        /** What this gateway has heard of the stream, by place in the stream, and how much of that is final. */
        let gateway = { stream: '', heard: [] as number[], finalThrough: 0 };
        let onTheWay: number[] = [];
        const publishThrough = (through: number): void => {
          final.push(...gateway.heard.slice(gateway.finalThrough, through));
          gateway.finalThrough = Math.max(gateway.finalThrough, through);
        };
        const tell = (): void =>
          speaker.kept.acknowledged({
            receivedThroughSample: gateway.heard.length,
            finalThroughSample: gateway.finalThrough,
          });
        const begin = (former: number | undefined): void => {
          gateway = { stream: `s${++streams}`, heard: [], finalThrough: 0 };
          onTheWay = allOf(
            speaker.kept.welcomed({
              stream: gateway.stream,
              expectSample: 0,
              ...(former === undefined ? {} : { finalThroughSample: former }),
            }),
          );
        };
        begin(0);
        for (const step of actions) {
          switch (step) {
            case 'speak':
              onTheWay.push(...speaker.speak(100));
              break;
            case 'hear':
              gateway.heard.push(...onTheWay.splice(0, 130));
              break;
            case 'final':
              publishThrough(Math.max(gateway.finalThrough, gateway.heard.length - 70));
              tell();
              break;
            case 'drop':
              // The same gateway: it says where to go on.
              onTheWay = allOf(
                speaker.kept.welcomed({
                  stream: gateway.stream,
                  expectSample: gateway.heard.length,
                  finalThroughSample: gateway.finalThrough,
                }),
              );
              break;
            case 'kill':
              begin(undefined);
              break;
            case 'finish':
              // The same gateway, which has given up waiting; its acknowledgement was lost.
              publishThrough(gateway.heard.length);
              begin(gateway.heard.length);
          }
        }
        gateway.heard.push(...onTheWay);
        publishThrough(gateway.heard.length);
        expect(final).toEqual(numbers(0, speaker.spoken));
      }),
      { numRuns: 500 },
    );
  });
});
