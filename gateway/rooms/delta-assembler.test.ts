import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyMessage,
  encodeMessage,
  decodeMessage,
  epochMs,
  type EpochMs,
  initialState,
  participantIdentity,
  roomName,
  sampleIndex,
  segmentsOf,
} from '../../protocol/index.js';
import type { CaptionedWord, SegmentEvent } from '../../asr/index.js';
import { DeltaAssembler } from './delta-assembler.js';
import { Room } from './room.js';

const ROOM = roomName('council');
const START_MS = 1_700_000_000_000;

const momentOf = (sample: number): EpochMs => epochMs(START_MS + Math.round(sample / 16));

const assembler = (): DeltaAssembler =>
  new DeltaAssembler({
    speaker: { identity: participantIdentity('ana'), name: 'Ana' },
    language: 'en',
    idPrefix: 'p1',
    spanToEpochMs: (startSample, endSample) => ({
      startMs: momentOf(startSample),
      endMs: momentOf(endSample),
    }),
  });

const word = (text: string, index: number, confidence?: number): CaptionedWord => ({
  text,
  startSample: sampleIndex(index * 16_000),
  endSample: sampleIndex(index * 16_000 + 8000),
  ...(confidence === undefined ? {} : { confidence }),
});

function event(text: string, changes: Partial<SegmentEvent> = {}): SegmentEvent {
  const words = text
    .split(' ')
    .filter((part) => part !== '')
    .map((part, index) => word(part, index));
  return {
    kind: 'segment',
    segment: 1,
    words,
    stableWords: 0,
    isFinal: false,
    decodedThroughSample: sampleIndex(0),
    ...changes,
  };
}

/** Successive versions of several segments at once: words grow, change, go; sooner or later each becomes final. */
const versions = fc
  .array(
    fc.record({
      segment: fc.integer({ min: 1, max: 4 }),
      words: fc.array(fc.constantFrom('we', 'say', 'nothing', 'a', 'Paul,', '€', 'ß'.repeat(300)), {
        maxLength: 60,
      }),
      isFinal: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    const finals = new Set<number>();
    return steps.filter(({ segment, isFinal }) => {
      if (finals.has(segment)) return false;
      if (isFinal) finals.add(segment);
      return true;
    });
  });

describe('DeltaAssembler', () => {
  it('replayed through the reducer shows the newest words of every segment, also over the wire', () => {
    fc.assert(
      fc.property(versions, (steps) => {
        const speaker = assembler();
        const room = new Room(ROOM, START_MS);
        let viewer = initialState(ROOM);
        const receive = (bytes: Uint8Array): void => {
          const message = decodeMessage(bytes);
          if (message !== undefined) viewer = applyMessage(viewer, message);
        };
        room.addViewer({ send: receive, sendSnapshot: (parts) => parts.forEach(receive) });
        const newest = new Map<number, { texts: string[]; isFinal: boolean }>();
        for (const { segment, words, isFinal } of steps) {
          const draft = speaker.next(
            event('', { segment, isFinal, words: words.map((text, index) => word(text, index)) }),
          );
          if (draft !== undefined) room.publishDelta(draft);
          if (draft !== undefined || newest.has(segment)) newest.set(segment, { texts: words, isFinal });
          const shown = segmentsOf(viewer).map(
            ({ segment, words, isFinal }) =>
              [segment, { texts: words.map(({ text }) => text), isFinal }] as const,
          );
          expect(new Map(shown)).toEqual(
            new Map([...newest].map(([number, value]) => [`p1-${number}`, value])),
          );
          expect(viewer.needsResync).toBe(false);
        }
      }),
    );
  });

  it('keeps the common beginning and tells only what follows', () => {
    const speaker = assembler();
    expect(speaker.next(event('would you'))).toMatchObject({
      keep: 0,
      words: [{ text: 'would' }, { text: 'you' }],
    });
    expect(speaker.next(event('would you like to'))).toMatchObject({
      keep: 2,
      words: [{ text: 'like' }, { text: 'to' }],
    });
    expect(speaker.next(event('would you liked'))).toMatchObject({ keep: 2, words: [{ text: 'liked' }] });
    expect(speaker.next(event('would'))).toMatchObject({ keep: 1, words: [] });
  });

  it('says nothing when nothing changed, except that a segment is final', () => {
    const speaker = assembler();
    speaker.next(event('so be it'));
    expect(speaker.next(event('so be it'))).toBeUndefined();
    expect(speaker.next(event('so be it', { isFinal: true }))).toMatchObject({
      keep: 3,
      words: [],
      isFinal: true,
      stable: 3,
    });
    expect(assembler().next(event(''))).toBeUndefined();
  });

  it('tells how many words are stable; of a final all are', () => {
    const speaker = assembler();
    expect(speaker.next(event('a b c', { stableWords: 2 }))).toMatchObject({ stable: 2, isFinal: false });
    expect(speaker.next(event('a b d', { stableWords: 2, isFinal: true }))).toMatchObject({
      stable: 3,
      isFinal: true,
    });
  });

  it('tells that words shown before have come to stay', () => {
    const speaker = assembler();
    speaker.next(event('so be it'));
    expect(speaker.next(event('so be it', { stableWords: 2 }))).toMatchObject({
      keep: 3,
      words: [],
      stable: 2,
    });
    expect(speaker.next(event('so be it', { stableWords: 2 }))).toBeUndefined();
  });

  it('gives each segment an id of its own', () => {
    const speaker = assembler();
    expect(speaker.next(event('one', { segment: 1 }))?.segment).toBe('p1-1');
    expect(speaker.next(event('two', { segment: 2 }))?.segment).toBe('p1-2');
  });

  it('turns samples into wall-clock times, and rounds confidence', () => {
    const words = [word('hm', 2, 0.123456)];
    const draft = assembler().next(event('', { words }));
    expect(draft?.words).toEqual([
      { text: 'hm', startMs: START_MS + 2000, endMs: START_MS + 2500, confidence: 0.12 },
    ]);
  });
});

describe('a room given a delta that does not fit one message', () => {
  it('tells it in several, and goes on counting after them', () => {
    const speaker = assembler();
    const room = new Room(ROOM, START_MS);
    const sent: Uint8Array[] = [];
    room.addViewer({ send: (bytes) => sent.push(bytes), sendSnapshot: (parts) => sent.push(...parts) });
    const long = Array.from({ length: 200 }, (_, index) => word(`${'x'.repeat(200)}${index}`, index));
    for (const words of [long, [...long, word('end', 200)]]) {
      const draft = speaker.next(event('', { words }));
      if (draft !== undefined) room.publishDelta(draft);
    }
    expect(sent.length).toBeGreaterThan(3);
    expect(room.state.open[0]?.words).toHaveLength(201);
    const viewer = sent.map((bytes) => decodeMessage(bytes)!).reduce(applyMessage, initialState(ROOM));
    expect(segmentsOf(viewer)).toEqual(segmentsOf(room.state));
    expect(viewer.needsResync).toBe(false);
    expect(room.snapshotFor(room.historyStart).every((bytes) => bytes.length <= 15_000)).toBe(true);
    expect(encodeMessage(decodeMessage(sent[0]!)!)).toEqual(sent[0]);
  });
});
