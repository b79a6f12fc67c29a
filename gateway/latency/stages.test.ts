import { describe, expect, it } from 'vitest';
import { roomName, sampleIndex } from '../../protocol/index.js';
import type { SegmentEvent } from '../../asr/index.js';
import { SampleStamps } from '../../asr/stream/sample-stamps.js';
import { WordTrace } from '../../asr/stream/word-trace.js';
import type { LatencyObserver } from './latency-observer.js';
import { RoomLatency } from './room-latency.js';
import { SpeakerLatency } from './speaker-latency.js';
import { type Stage, STAGES, type WordLatency } from './word-latency.js';

const ROOM = roomName('council');
const WORD_END = sampleIndex(16_000);
const CHUNK_END = sampleIndex(21_120);
const SPOKEN_AT_MS = 5000;
/** What each stage takes in a run without a delay. */
const USUAL_MS: Readonly<Record<Stage, number>> = {
  arrival: 30,
  gate: 20,
  lookahead: 320,
  queue: 15,
  decode: 25,
  segment: 1,
  publish: 2,
  delivery: 12,
};

class Observed implements LatencyObserver {
  readonly words: WordLatency[] = [];
  readonly finalsMs: number[] = [];
  readonly firstPartialsMs: number[] = [];
  revisedWords = 0;

  word(_room: string, latency: WordLatency): void {
    this.words.push(latency);
  }
  final(_room: string, { latencyMs }: { latencyMs: number }): void {
    this.finalsMs.push(latencyMs);
  }
  firstPartial(_room: string, { latencyMs }: { latencyMs: number }): void {
    this.firstPartialsMs.push(latencyMs);
  }
  revised(_room: string, words: number): void {
    this.revisedWords += words;
  }
  gap(): void {
    // Nobody is missing here.
  }
}

/** One speaker of one room on a clock that stands still unless told. */
class Simulation {
  nowMs = SPOKEN_AT_MS;
  readonly observed = new Observed();
  readonly room = new RoomLatency({ room: ROOM, observer: this.observed, now: () => this.nowMs });
  readonly arrivals = new SampleStamps();
  readonly trace = new WordTrace({ arrivals: this.arrivals, now: () => this.nowMs });
  readonly #speaker = new SpeakerLatency({
    room: this.room,
    spokenAtMs: (sample) => SPOKEN_AT_MS + (sample - WORD_END) / 16,
  });
  #seq = 0;

  told(texts: readonly string[], isFinal = false): SegmentEvent {
    const words = texts.map((text, index) => ({
      text,
      startSample: sampleIndex(8000 + index * 4000),
      endSample: sampleIndex(WORD_END + index * 4000),
    }));
    return this.trace.stamped({
      kind: 'segment',
      segment: 1,
      words,
      stableWords: 0,
      isFinal,
      decodedThroughSample: CHUNK_END,
    });
  }

  publish(event: SegmentEvent): number {
    this.#speaker.published(event, { seq: ++this.#seq, atMs: this.nowMs });
    return this.#seq;
  }

  /** One word on its way, and its final half a second later. */
  sayOneWord(stagesMs: Readonly<Record<Stage, number>>): void {
    const pass = (stage: Stage): void => void (this.nowMs += stagesMs[stage]);
    pass('arrival');
    this.arrivals.add(WORD_END, this.nowMs);
    pass('gate');
    this.trace.handed(WORD_END);
    pass('lookahead');
    this.trace.handed(CHUNK_END);
    pass('queue');
    pass('decode');
    this.heard(stagesMs.decode);
    pass('segment');
    const event = this.told(['word']);
    pass('publish');
    const seq = this.publish(event);
    pass('delivery');
    this.room.acknowledged(seq, 'probe');
    this.nowMs += 500;
    this.heard(stagesMs.decode);
    this.publish(this.told(['Word.'], true));
  }

  heard(callMs: number): void {
    this.trace.heard({
      committed: [],
      provisional: [],
      decodedThroughSample: CHUNK_END,
      isFinal: false,
      callMs,
    });
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('the stages of a word', () => {
  it('are told as they were, and add up', () => {
    const simulation = new Simulation();
    simulation.sayOneWord(USUAL_MS);
    const [word] = simulation.observed.words;
    expect(word).toMatchObject({ spokenAtMs: SPOKEN_AT_MS, stagesMs: USUAL_MS, isAcknowledged: true });
    expect(word?.totalMs).toBe(sum(Object.values(USUAL_MS)));
    expect(simulation.observed.words).toHaveLength(1);
    expect(simulation.observed.revisedWords).toBe(0);
    expect(simulation.observed.finalsMs).toEqual([sum(Object.values(USUAL_MS)) + 500]);
  });

  it.each(STAGES)(
    'a delay of 250 ms in "%s" shows in that stage, in the total, and nowhere else',
    (stage) => {
      const delayed = { ...USUAL_MS, [stage]: USUAL_MS[stage] + 250 };
      const simulation = new Simulation();
      simulation.sayOneWord(delayed);
      const [word] = simulation.observed.words;
      expect(word?.stagesMs).toEqual(delayed);
      expect(word?.totalMs).toBe(sum(Object.values(USUAL_MS)) + 250);
    },
  );

  it('count a word from when it first stood where it stayed, and what changed meanwhile as revised', () => {
    const simulation = new Simulation();
    simulation.arrivals.add(WORD_END, SPOKEN_AT_MS);
    simulation.arrivals.add(CHUNK_END, SPOKEN_AT_MS + 250);
    simulation.trace.handed(CHUNK_END);
    for (const [atMs, texts] of [
      [100, ['see']],
      [200, ['see', 'wear']],
      [300, ['see', 'where']],
    ] as const) {
      simulation.nowMs = SPOKEN_AT_MS + atMs;
      simulation.heard(0);
      simulation.publish(simulation.told(texts));
    }
    simulation.nowMs = SPOKEN_AT_MS + 900;
    simulation.publish(simulation.told(['See', 'where.'], true));
    // The second word ends 250 ms after the first.
    expect(simulation.observed.words.map(({ totalMs }) => totalMs)).toEqual([100, 50]);
    expect(simulation.observed.revisedWords).toBe(1);
    expect(simulation.observed.words.map(({ isAcknowledged }) => isAcknowledged)).toEqual([false, false]);
  });

  it('wait for a report only where somebody reports, and not for long', () => {
    const simulation = new Simulation();
    simulation.sayOneWord(USUAL_MS);
    simulation.heard(0);
    const late = simulation.publish({ ...simulation.told(['again'], true), segment: 2 });
    expect(simulation.observed.words).toHaveLength(1);
    simulation.nowMs += 2001;
    simulation.room.published(late + 1, simulation.nowMs);
    expect(simulation.observed.words[1]).toMatchObject({ isAcknowledged: false });
  });

  it('take no notice of reports on what was never said', () => {
    const simulation = new Simulation();
    simulation.room.acknowledged(77, 'probe');
    simulation.heard(0);
    simulation.publish(simulation.told(['word'], true));
    expect(simulation.observed.words[0]).toMatchObject({ isAcknowledged: false });
  });

  /** What two viewers report on one word, in milliseconds after it was published; undefined for nothing. */
  const deliveryMs = (reportsMs: Readonly<Record<string, number | undefined>>): number[] => {
    const simulation = new Simulation();
    // Both have reported before: they are waited for.
    const first = simulation.publish(simulation.told(['before']));
    for (const viewer of Object.keys(reportsMs)) simulation.room.acknowledged(first, viewer);
    simulation.heard(0);
    const publishedAtMs = simulation.nowMs;
    const seq = simulation.publish({ ...simulation.told(['word'], true), segment: 2 });
    const reports = Object.entries(reportsMs).flatMap(([viewer, atMs]) =>
      atMs === undefined ? [] : [{ viewer, atMs }],
    );
    for (const { viewer, atMs } of reports.toSorted((a, b) => a.atMs - b.atMs)) {
      simulation.nowMs = publishedAtMs + atMs;
      simulation.room.acknowledged(seq, viewer);
    }
    simulation.nowMs = publishedAtMs + 10_000;
    simulation.room.published(seq + 1, simulation.nowMs);
    return simulation.observed.words.map(({ stagesMs }) => stagesMs.delivery);
  };

  it.each([
    ['reports late, whenever that is', { honest: 12, absurd: 1999 }],
    ['reports after nobody waits any more', { honest: 12, absurd: 9000 }],
    ['has reported before and never again', { honest: 12, absurd: undefined }],
  ])('are those of the honest one of two viewers where the other %s', (_title, reportsMs) => {
    expect(deliveryMs(reportsMs)).toEqual([12]);
  });

  it('are those of the honest two of three viewers, also where the other reports before anybody can have seen it', () => {
    expect(deliveryMs({ honest: 12, other: 14, absurd: 0 })).toEqual([12]);
    expect(deliveryMs({ honest: 12, other: 14, absurd: 1999 })).toEqual([14]);
  });

  it('count one vote of a viewer for a message, the first', () => {
    const simulation = new Simulation();
    simulation.heard(0);
    const seq = simulation.publish(simulation.told(['word']));
    simulation.nowMs += 12;
    simulation.room.acknowledged(seq, 'probe');
    for (let again = 0; again < 10; again += 1) {
      simulation.nowMs += 1000;
      simulation.room.acknowledged(seq, 'probe');
    }
    simulation.publish(simulation.told(['word'], true));
    expect(simulation.observed.words.map(({ stagesMs }) => stagesMs.delivery)).toEqual([12]);
  });
});
