import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HISTORY_FINAL_SEGMENTS,
  HISTORY_GAPS,
  applyMessage,
  epochMs,
  initialState,
  participantIdentity,
  resyncMessage,
  roomName,
  segmentId,
  segmentsOf,
  snapshotMessages,
  startEpoch,
  type CaptionDelta,
  type CaptionGap,
  type CaptionMessage,
  type CaptionState,
  type CaptionStatus,
} from './index.js';
import { MAX_EPOCH_AHEAD_MS, MAX_WAITING_MESSAGES, receiveMessage } from './reducer.js';
import {
  arbitraryDisturbances,
  arbitraryMeeting,
  arbitraryMessage,
  arbitraryReordering,
  disturb,
  visible,
} from './testing/arbitrary-messages.js';

const room = roomName('council');
const EPOCH = epochMs(1_700_000_000_000);
const LATER_EPOCH = epochMs(1_700_000_500_000);
const speaker = { identity: participantIdentity('ana'), name: 'Ana' };

const status = (seq: number, reason = `status ${seq}`, epoch = EPOCH): CaptionStatus => ({
  kind: 'status',
  room,
  epochMs: epoch,
  seq,
  state: 'degraded',
  reason,
});
const gap = (seq: number): CaptionGap => ({
  kind: 'gap',
  room,
  epochMs: EPOCH,
  seq,
  speaker,
  startMs: epochMs(seq),
  endMs: epochMs(seq + 1),
  reason: 'audio_missing',
});
const delta = (seq: number, text: string, change: Partial<CaptionDelta> = {}): CaptionDelta => ({
  kind: 'delta',
  room,
  epochMs: EPOCH,
  seq,
  speaker,
  segment: segmentId('s1'),
  revision: 1,
  keep: 0,
  words: text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ text: word, startMs: epochMs(seq), endMs: epochMs(seq) })),
  stable: 0,
  isFinal: false,
  language: 'en',
  ...change,
});
const applyAll = (state: CaptionState, ...messages: CaptionMessage[]): CaptionState =>
  messages.reduce(applyMessage, state);
const textsOf = (state: CaptionState): string[] =>
  segmentsOf(state).map(({ words }) => words.map(({ text }) => text).join(' '));

describe('in order', () => {
  it('builds a segment from what is kept and what is new', () => {
    const state = applyAll(
      initialState(room),
      delta(1, 'their is a'),
      delta(2, 'there is', { revision: 2, stable: 1 }),
      delta(3, 'hope.', { revision: 3, keep: 2, stable: 3, isFinal: true, trackSid: 'TR_1' }),
    );
    expect(textsOf(state)).toStrictEqual(['there is hope.']);
    expect(state.finals[0]).toMatchObject({ revision: 3, stable: 3, isFinal: true, trackSid: 'TR_1' });
    expect(state.open).toStrictEqual([]);
    expect(state.needsResync).toBe(false);
  });

  it('shows finals in the order in which they ended, then open segments in the order in which they began', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(segmentId);
    const state = applyAll(
      initialState(room),
      delta(1, 'a', { segment: a! }),
      delta(2, 'b', { segment: b! }),
      delta(3, 'c', { segment: c! }),
      delta(4, 'd', { segment: d! }),
      delta(5, 'D', { segment: d!, revision: 2, isFinal: true }),
      delta(6, 'B', { segment: b!, revision: 2, isFinal: true }),
      delta(7, 'A', { segment: a!, revision: 2 }),
    );
    expect(textsOf(state)).toStrictEqual(['D', 'B', 'A', 'c']);
  });

  it('keeps the last finals and the last gaps only', () => {
    const total = 3 * HISTORY_FINAL_SEGMENTS;
    const messages = Array.from({ length: total }, (_, index) =>
      index % 2 === 0
        ? delta(index + 1, `final${index + 1}`, { segment: segmentId(`s${index}`), isFinal: true })
        : gap(index + 1),
    );
    const state = applyAll(initialState(room), ...messages);
    expect(state.finals).toHaveLength(HISTORY_FINAL_SEGMENTS);
    expect(textsOf(state).at(-1)).toBe(`final${total - 1}`);
    expect(state.gaps).toHaveLength(HISTORY_GAPS);
    expect(state.gaps.at(-1)?.startMs).toBe(total);
  });

  it('ends where the meeting ended, for any meeting', () => {
    fc.assert(
      fc.property(arbitraryMeeting, ({ room: name, messages, outcome }) => {
        const state = applyAll(initialState(name), ...messages);
        expect(visible(state)).toStrictEqual(outcome);
        expect(state.needsResync).toBe(false);
      }),
      { numRuns: 150 },
    );
  });
});

describe('what changes nothing', () => {
  it('gives back the same object', () => {
    const state = applyAll(initialState(room), status(1), delta(2, 'one'), status(4));
    const same: CaptionMessage[] = [
      status(1),
      delta(2, 'one'),
      status(4),
      status(9, 'an older gateway', epochMs(EPOCH - 1)),
      { ...status(3), room: roomName('elsewhere') },
      { kind: 'resync', room, lastSeq: 0 },
      { kind: 'token', token: 'abc' },
      { kind: 'access', expiresAtMs: epochMs(1) },
      ...snapshotMessages(applyAll(initialState(room), status(1))),
      ...snapshotMessages(startEpoch(room, epochMs(EPOCH - 1))),
    ];
    for (const message of same) expect(applyMessage(state, message)).toBe(state);
    const complete = applyMessage(state, status(3));
    for (const message of snapshotMessages(complete)) expect(applyMessage(complete, message)).toBe(complete);
  });

  it('never changes a state that was given out', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { maxLength: 10 }), (messages) => {
        let state = initialState(room);
        for (const message of messages) {
          const before = structuredClone(state);
          const next = applyMessage(state, 'room' in message ? { ...message, room } : message);
          expect(state).toStrictEqual(before);
          state = next;
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('knowing nothing', () => {
  it('asks, until a snapshot or the first message arrives', () => {
    const nothing = initialState(room);
    expect(nothing.needsResync).toBe(true);
    expect(resyncMessage(nothing)).toStrictEqual({ kind: 'resync', room, lastSeq: 0 });
    expect(applyMessage(nothing, status(1)).needsResync).toBe(false);
    const [empty] = snapshotMessages(startEpoch(room, EPOCH));
    expect(applyMessage(nothing, empty!).needsResync).toBe(false);
    expect(applyMessage(nothing, status(5)).needsResync).toBe(true);
  });

  it('shows nothing of a meeting that it joined late until the snapshot, then what came meanwhile too', () => {
    const past = applyAll(initialState(room), delta(1, 'one'), delta(2, 'two', { revision: 2, keep: 1 }));
    const late = applyAll(initialState(room), delta(3, 'three', { revision: 3, keep: 2 }));
    expect(segmentsOf(late)).toStrictEqual([]);
    const joined = applyAll(late, ...snapshotMessages(past));
    expect(textsOf(joined)).toStrictEqual(['one two three']);
    expect(joined).toMatchObject({ seq: 3, needsResync: false });
  });
});

describe('a hole', () => {
  it('is open until the missing message arrives, and then what waited takes effect', () => {
    const before = applyAll(initialState(room), status(1));
    const open = applyAll(before, status(4), status(3));
    expect(open).toMatchObject({ seq: 1, reason: 'status 1', needsResync: true });
    expect(resyncMessage(open).lastSeq).toBe(1);
    const closed = applyMessage(open, status(2));
    expect(closed).toMatchObject({ seq: 4, reason: 'status 4', needsResync: false });
    expect(closed.reception.waiting).toStrictEqual([]);
  });

  it('heals itself after any reordering and duplication within the bound', () => {
    fc.assert(
      fc.property(arbitraryMeeting, arbitraryReordering, ({ room: name, messages, outcome }, reordering) => {
        // A newer epoch that overtakes the end of an older one makes the older one worthless: the outcome is the same.
        const state = applyAll(initialState(name), ...disturb(messages, reordering));
        expect(visible(state)).toStrictEqual(outcome);
        expect(state.needsResync).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps a bounded number of messages, the newest, and knows that it is behind whatever it dropped', () => {
    const early = Array.from({ length: 3 * MAX_WAITING_MESSAGES }, (_, index) => status(index + 3));
    for (const arriving of [early, early.toReversed()]) {
      const behind = applyAll(initialState(room), status(1), ...arriving);
      expect(behind.reception.waiting).toHaveLength(MAX_WAITING_MESSAGES);
      expect(applyMessage(behind, status(3))).toBe(behind);
      const still = applyMessage(behind, status(2));
      expect(still).toMatchObject({ seq: 2, needsResync: true });
      const truth = applyAll(initialState(room), status(1), status(2), ...early.slice(0, -10));
      const healed = applyAll(still, ...snapshotMessages(truth));
      expect(healed).toMatchObject({ seq: early.at(-1)!.seq, needsResync: false });
      expect(healed.reception.waiting).toStrictEqual([]);
    }
  });

  it('is not forgotten when the only message that told of it was dropped', () => {
    const far = status(500);
    const crowd = Array.from({ length: MAX_WAITING_MESSAGES }, (_, index) => status(600 + index));
    const behind = applyAll(initialState(room), status(1), far, ...crowd);
    const [snapshotPart] = snapshotMessages({ ...applyAll(initialState(room), status(1)), seq: 550 });
    const nearer = applyMessage(behind, snapshotPart!);
    expect(nearer).toMatchObject({ seq: 550, needsResync: true });
  });
});

describe('a message that contradicts what is shown', () => {
  const known = applyAll(initialState(room), delta(1, 'one two'));
  const ended = applyAll(known, delta(2, 'end', { revision: 2, isFinal: true }));
  const contradictions: { name: string; state: CaptionState; message: CaptionDelta }[] = [
    { name: 'a revision that skips one', state: known, message: delta(2, 'x', { revision: 3 }) },
    { name: 'a revision that was there', state: known, message: delta(2, 'x', { revision: 1 }) },
    {
      name: 'more words kept than there are',
      state: known,
      message: delta(2, 'x', { revision: 2, keep: 3 }),
    },
    {
      name: 'a later revision of an unknown segment',
      state: known,
      message: delta(2, 'x', { segment: segmentId('s9'), revision: 2 }),
    },
    { name: 'a revision after the final one', state: ended, message: delta(3, 'x', { revision: 3 }) },
    { name: 'a final segment begun again', state: ended, message: delta(3, 'x') },
  ];

  it.each(contradictions)('asks for a snapshot and stays as it was: $name', ({ state, message }) => {
    const asking = applyMessage(state, message);
    expect(asking.needsResync).toBe(true);
    expect(visible(asking)).toStrictEqual(visible(state));
    expect(applyMessage(asking, message)).toBe(asking);
    const behindIt = applyMessage(asking, status(message.seq + 1));
    expect(behindIt.seq).toBe(state.seq);
    const truth = { ...state, seq: message.seq, reason: 'truth' };
    const healed = applyAll(behindIt, ...snapshotMessages(truth));
    expect(healed).toMatchObject({ seq: message.seq + 1, needsResync: false });
  });

  it('takes effect after a snapshot of what came before it', () => {
    const message = delta(2, 'two', { revision: 3, keep: 1 });
    const truth = applyAll(
      startEpoch(room, EPOCH),
      delta(1, 'one', { revision: 1 }),
      delta(2, 'uno', { revision: 2 }),
    );
    const healed = applyAll(known, message, ...snapshotMessages({ ...truth, seq: 1 }));
    expect(textsOf(healed)).toStrictEqual(['uno two']);
    expect(healed).toMatchObject({ seq: 2, needsResync: false });
  });
});

describe('a newer epoch', () => {
  const shown = applyAll(initialState(room), delta(1, 'before'), gap(2), status(3), status(9));

  it('starts afresh with its first message, whatever was missing before', () => {
    const state = applyMessage(shown, delta(1, 'after', { epochMs: LATER_EPOCH, segment: segmentId('n1') }));
    expect(textsOf(state)).toStrictEqual(['after']);
    expect(state).toMatchObject({ epochMs: LATER_EPOCH, seq: 1, gaps: [], reason: '', needsResync: false });
    expect(applyMessage(state, status(4))).toBe(state);
  });

  it('that does not begin at its first message waits, keeps showing the old one, and asks from 0', () => {
    const state = applyMessage(shown, status(3, 'third', LATER_EPOCH));
    expect(textsOf(state)).toStrictEqual(['before']);
    expect(state.needsResync).toBe(true);
    expect(resyncMessage(state).lastSeq).toBe(0);
    expect(applyMessage(state, status(4))).toBe(state);
    const begun = applyAll(state, status(2, 'second', LATER_EPOCH), status(1, 'first', LATER_EPOCH));
    expect(begun).toMatchObject({ epochMs: LATER_EPOCH, seq: 3, reason: 'third', needsResync: false });
  });

  it('is taken over from its snapshot, also when the old epoch was complete', () => {
    const truth = applyAll(startEpoch(room, LATER_EPOCH), status(1, 'first', LATER_EPOCH));
    const complete = applyAll(initialState(room), status(1), status(2));
    for (const state of [shown, complete]) {
      expect(visible(applyAll(state, ...snapshotMessages(truth)))).toStrictEqual(visible(truth));
    }
  });
});

describe('after a snapshot', () => {
  const road = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    lossy: arbitraryDisturbances,
    unordered: arbitraryReordering,
  });

  it('every viewer shows the truth, whatever was lost, repeated or reordered, and goes on with the others', () => {
    fc.assert(
      fc.property(
        arbitraryMeeting,
        road,
        ({ room: name, messages, outcome }, { share, lossy, unordered }) => {
          const cut = 1 + Math.floor((messages.length - 1) * share);
          const [past, future] = [messages.slice(0, cut), messages.slice(cut)];
          const truth = applyAll(initialState(name), ...past);
          const parts = disturb(snapshotMessages(truth), unordered);

          expect(applyAll(truth, ...parts)).toBe(truth);
          const unlucky = applyAll(initialState(name), ...disturb(past, lossy), ...parts);
          expect(visible(unlucky)).toStrictEqual(visible(truth));
          expect(unlucky.needsResync).toBe(false);
          expect(unlucky.reception.waiting).toStrictEqual([]);

          const end = applyAll(unlucky, ...future);
          expect(visible(end)).toStrictEqual(outcome);
          expect(end.needsResync).toBe(false);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('the same holds where snapshots and later messages arrive among each other', () => {
    fc.assert(
      fc.property(
        arbitraryMeeting,
        arbitraryDisturbances,
        fc.nat(),
        ({ room: name, messages }, disturbances, anyEvery) => {
          const every = 1 + (anyEvery % 40);
          let truth = initialState(name);
          const sent: CaptionMessage[] = [];
          for (const [index, message] of messages.entries()) {
            truth = applyMessage(truth, message);
            sent.push(message);
            if (index % every === 0) sent.push(...snapshotMessages(truth));
          }
          const viewer = applyAll(initialState(name), ...disturb(sent, disturbances));
          if (!viewer.needsResync && viewer.epochMs === truth.epochMs && viewer.seq === truth.seq) {
            expect(visible(viewer)).toStrictEqual(visible(truth));
          }
          const healed = applyAll(viewer, ...snapshotMessages(truth));
          expect(visible(healed)).toStrictEqual(visible(truth));
          expect(healed.needsResync).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('an epoch that lies ahead of the viewer’s clock', () => {
  const nowMs = EPOCH - MAX_EPOCH_AHEAD_MS;
  const before = applyAll(initialState(room), status(1, 'before', epochMs(nowMs)));
  const [snapshotAhead] = snapshotMessages(startEpoch(room, epochMs(EPOCH + 1)));

  it('is believed up to a day, as of a gateway whose clock is wrong', () => {
    expect(receiveMessage(before, status(1), nowMs)).toEqual(applyMessage(before, status(1)));
    expect(receiveMessage(before, status(1), nowMs).epochMs).toBe(EPOCH);
  });

  it.each([
    ['delta', delta(1, 'late', { epochMs: epochMs(EPOCH + 1) })],
    ['gap', { ...gap(1), epochMs: epochMs(EPOCH + 1) }],
    ['status', status(1, 'late', epochMs(EPOCH + 1))],
    ['status at the end of time', status(1, 'late', epochMs(8_640_000_000_000_000))],
    ['snapshot', snapshotAhead!],
  ] as const)('changes nothing above it: a %s', (_title, message) => {
    expect(receiveMessage(before, message, nowMs)).toBe(before);
    expect(applyMessage(before, message)).not.toBe(before);
  });
});
