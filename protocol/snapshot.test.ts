import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HISTORY_FINAL_SEGMENTS,
  HISTORY_GAPS,
  MAX_MESSAGE_BYTES,
  applyMessage,
  decodeMessage,
  encodeMessage,
  epochMs,
  initialState,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
  snapshotMessages,
  startEpoch,
  type CaptionDelta,
  type CaptionState,
  type CaptionWord,
  type SnapshotSegment,
} from './index.js';
import { arbitraryMeeting, arbitraryReordering, disturb, visible } from './testing/arbitrary-messages.js';

const room = roomName('council');
const start = startEpoch(room, epochMs(1_700_000_000_000));
const words = (length: number): CaptionWord[] =>
  Array.from({ length }, (_, index) => ({
    text: `word${index}`,
    startMs: epochMs(1_700_000_000_000 + index),
    endMs: epochMs(1_700_000_000_000 + index),
  }));
const deltaOf = (seq: number, spoken: CaptionWord[]): CaptionDelta => ({
  kind: 'delta',
  room,
  epochMs: start.epochMs,
  seq,
  speaker: { identity: participantIdentity('ana'), name: 'Ana' },
  segment: segmentId(`s${seq}`),
  revision: 1,
  keep: 0,
  words: spoken,
  stable: spoken.length,
  isFinal: seq % 2 === 0,
  language: 'en',
});
const stateAfter = (...deltas: CaptionDelta[]): CaptionState => deltas.reduce(applyMessage, start);

describe('snapshotMessages', () => {
  it('is one empty part for a state in which nothing was said', () => {
    const [part, ...others] = snapshotMessages(start);
    expect(others).toStrictEqual([]);
    expect(part).toStrictEqual({
      kind: 'snapshot',
      room,
      epochMs: start.epochMs,
      seq: 0,
      part: 0,
      parts: 1,
      segments: [],
      gaps: [],
      state: 'live',
      reason: '',
    });
    expect(applyMessage(initialState(room), part!).needsResync).toBe(false);
  });

  it('cuts only a segment that is too long for one part, without a hole between the slices', () => {
    const state = stateAfter(deltaOf(1, words(20)), deltaOf(2, words(100)), deltaOf(3, words(700)));
    const parts = snapshotMessages(state);
    const slices = parts.flatMap(({ segments }) => segments);
    expect(slices.filter(({ segment }) => segment === 's1')).toHaveLength(1);
    expect(slices.filter(({ segment }) => segment === 's2')).toHaveLength(1);
    const long = slices.filter(({ segment }) => segment === 's3');
    expect(long.length).toBeGreaterThan(2);
    let firstWord = 0;
    for (const slice of long) {
      expect(slice).toMatchObject({ firstWord, revision: 1, stable: 700 });
      firstWord += slice.words.length;
    }
    expect(firstWord).toBe(700);
  });

  it('gives every viewer that is not ahead the same visible state, over the wire, in any order', () => {
    fc.assert(
      fc.property(arbitraryMeeting, arbitraryReordering, fc.nat(), (meeting, reordering, anyCount) => {
        const truth = meeting.messages.reduce(applyMessage, initialState(meeting.room));
        const parts = snapshotMessages(truth);
        const arriving = disturb(parts, reordering).map((part) => {
          const bytes = encodeMessage(part);
          expect(bytes.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
          return decodeMessage(bytes)!;
        });
        const seen = meeting.messages.slice(0, anyCount % (meeting.messages.length + 1));
        const viewer = arriving.reduce(applyMessage, seen.reduce(applyMessage, initialState(meeting.room)));
        expect(visible(viewer)).toStrictEqual(visible(truth));
        expect(viewer.needsResync).toBe(false);
        expect(viewer.reception.parts).toStrictEqual([]);
        expect(snapshotMessages(viewer)).toStrictEqual(parts);
      }),
      { numRuns: 60 },
    );
  });

  it('shows nothing of a snapshot before its last part is there', () => {
    const truth = stateAfter(deltaOf(1, words(700)));
    const parts = snapshotMessages(truth);
    expect(parts.length).toBeGreaterThan(2);
    let viewer = initialState(room);
    for (const part of parts.slice(1)) {
      viewer = applyMessage(viewer, part);
      expect(segmentsOf(viewer)).toStrictEqual([]);
      expect(viewer.needsResync).toBe(true);
      expect(applyMessage(viewer, part)).toBe(viewer);
    }
    viewer = applyMessage(viewer, parts[0]!);
    expect(visible(viewer)).toStrictEqual(visible(truth));
  });

  it('does not mix the parts of two snapshots', () => {
    const first = stateAfter(deltaOf(1, words(700)));
    const second = applyMessage(first, deltaOf(2, words(300)));
    const [firstParts, secondParts] = [snapshotMessages(first), snapshotMessages(second)];
    const mixed = [...firstParts.slice(1), ...secondParts.slice(1), firstParts[0]!];
    const viewer = mixed.reduce(applyMessage, initialState(room));
    expect(segmentsOf(viewer)).toStrictEqual([]);
    expect(visible(applyMessage(viewer, secondParts[0]!))).toStrictEqual(visible(second));
  });

  it('takes the newer way of cutting where the same state was cut in two ways', () => {
    const truth = stateAfter(deltaOf(1, words(300)));
    const [firstOfTwo, ...rest] = snapshotMessages(truth);
    expect(rest).toHaveLength(1);
    const whole = { ...firstOfTwo!.segments[0]!, words: words(300) };
    const ofThree = [0, 100, 200].map((firstWord, part) => ({
      ...firstOfTwo!,
      part,
      parts: 3,
      segments: [{ ...whole, firstWord, words: whole.words.slice(firstWord, firstWord + 100) }],
    }));
    const viewer = [firstOfTwo!, ...ofThree].reduce(applyMessage, initialState(room));
    expect(visible(viewer)).toStrictEqual(visible(truth));
  });

  it('leaves no more behind than the histories hold, however much it says', () => {
    const spoken = Array.from({ length: 2 * HISTORY_FINAL_SEGMENTS }, (_, index) => ({
      ...snapshotMessages(stateAfter(deltaOf(1, words(1))))[0]!.segments[0]!,
      segment: segmentId(`final${index}`),
      isFinal: true,
    }));
    const gaps = Array.from({ length: 2 * HISTORY_GAPS }, (_, index) => ({
      speaker: { identity: participantIdentity('ana'), name: 'Ana' },
      startMs: epochMs(index),
      endMs: epochMs(index),
      reason: 'audio_missing' as const,
    }));
    const [empty] = snapshotMessages(start);
    const viewer = applyMessage(initialState(room), { ...empty!, segments: spoken, gaps });
    const keptIds = spoken.slice(-HISTORY_FINAL_SEGMENTS).map(({ segment }) => segment);
    expect(viewer.finals.map(({ segment }) => segment)).toStrictEqual(keptIds);
    expect(viewer.gaps).toStrictEqual(gaps.slice(-HISTORY_GAPS));
  });

  it('is dropped half-collected once the missing messages have come by themselves', () => {
    const long = deltaOf(1, words(700));
    const [firstPart] = snapshotMessages(stateAfter(long));
    const collecting = applyMessage(initialState(room), firstPart!);
    expect(collecting.reception.parts).toHaveLength(1);
    const healed = applyMessage(collecting, long);
    expect(healed).toMatchObject({ needsResync: false, seq: 1 });
    expect(healed.reception.parts).toStrictEqual([]);
  });

  it('is not kept after it took effect, also where something is still missing', () => {
    const parts = snapshotMessages(stateAfter(deltaOf(1, words(700))));
    const viewer = [deltaOf(3, words(1)), ...parts].reduce(applyMessage, initialState(room));
    expect(viewer).toMatchObject({ seq: 1, needsResync: true });
    expect(viewer.reception.parts).toStrictEqual([]);
  });

  it.each<{ name: string; damage: (slice: SnapshotSegment) => SnapshotSegment }>([
    { name: 'a word is missing', damage: (slice) => ({ ...slice, firstWord: slice.firstWord + 1 }) },
    { name: 'the revision differs', damage: (slice) => ({ ...slice, revision: slice.revision + 1 }) },
    { name: 'the segment differs', damage: (slice) => ({ ...slice, segment: segmentId('other') }) },
  ])('is refused as a whole, and still asked for, where $name between its slices', ({ damage }) => {
    const parts = snapshotMessages(stateAfter(deltaOf(1, words(700))));
    const damaged = parts.map((part) => ({
      ...part,
      segments: part.segments.map((slice) => (slice.firstWord === 0 ? slice : damage(slice))),
    }));
    const viewer = damaged.reduce(applyMessage, initialState(room));
    expect(segmentsOf(viewer)).toStrictEqual([]);
    expect(viewer.needsResync).toBe(true);
    expect(segmentsOf(parts.reduce(applyMessage, viewer))).toHaveLength(1);
  });
});
