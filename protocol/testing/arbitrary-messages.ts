/** fast-check arbitraries for caption messages: any valid one, and whole truthful meetings with their outcome. */
import fc from 'fast-check';
import {
  HISTORY_FINAL_SEGMENTS,
  HISTORY_GAPS,
  MAX_EPOCH_MS,
  MAX_LABEL_CHARS,
  MAX_LANGUAGE_CHARS,
  MAX_NAME_CHARS,
  MAX_SEGMENT_ID_CHARS,
  MAX_SNAPSHOT_PARTS,
  MAX_TRACK_SID_CHARS,
  MAX_WORD_CHARS,
  epochMs,
  participantIdentity,
  roomName,
  segmentId,
  segmentsOf,
  type AccessMessage,
  type BroadcastMessage,
  type CaptionDelta,
  type CaptionGap,
  type CaptionMessage,
  type CaptionResync,
  type CaptionShown,
  type CaptionServiceState,
  type CaptionSnapshot,
  type CaptionState,
  type CaptionStatus,
  type CaptionWord,
  type GapReason,
  type GapState,
  type RoomName,
  type SegmentState,
  type SnapshotSegment,
  type Speaker,
  type TokenMessage,
} from '../index.js';

const anyUtf16Unit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));

/** Ordinary text, names that are special in JavaScript, and any UTF-16 units, halves of surrogate pairs included. */
const arbitraryText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ minLength, maxLength }),
    fc.string({ minLength, maxLength, unit: 'grapheme' }).map((text) => text.slice(0, maxLength)),
    fc.string({ minLength, maxLength, unit: anyUtf16Unit }),
  );

const count = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const ordinal = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const moment = fc.nat({ max: MAX_EPOCH_MS }).map(epochMs);
const interval = fc
  .tuple(moment, moment)
  .map(([a, b]) => ({ startMs: epochMs(Math.min(a, b)), endMs: epochMs(Math.max(a, b)) }));
const fraction = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
const room = arbitraryText(1, MAX_NAME_CHARS).map(roomName);
const trackSid = arbitraryText(1, MAX_TRACK_SID_CHARS);
const segment = arbitraryText(1, MAX_SEGMENT_ID_CHARS).map(segmentId);
const language = fc.oneof(fc.constantFrom('', 'en', 'fr-FR'), arbitraryText(0, MAX_LANGUAGE_CHARS));
const gapReason = fc.constantFrom<GapReason[]>(
  'overloaded',
  'recogniser_failed',
  'audio_missing',
  'gateway_restarted',
);
const serviceState = fc.constantFrom<CaptionServiceState[]>('live', 'degraded', 'unavailable');
const statusReason = arbitraryText(0, MAX_NAME_CHARS);

/** Any valid speaker. */
export const arbitrarySpeaker: fc.Arbitrary<Speaker> = fc.record(
  {
    identity: arbitraryText(1, MAX_NAME_CHARS).map(participantIdentity),
    name: arbitraryText(0, MAX_NAME_CHARS),
    label: arbitraryText(1, MAX_LABEL_CHARS),
  },
  { requiredKeys: ['identity', 'name'], noNullPrototype: true },
);

/** Any valid word, now and then of the greatest length. */
export const arbitraryWord: fc.Arbitrary<CaptionWord> = fc
  .tuple(
    fc.oneof(
      { weight: 20, arbitrary: arbitraryText(1, 12) },
      { weight: 1, arbitrary: arbitraryText(MAX_WORD_CHARS, MAX_WORD_CHARS) },
    ),
    interval,
    fc.option(fraction, { nil: undefined }),
  )
  .map(([text, times, confidence]) => ({
    text,
    ...times,
    ...(confidence === undefined ? {} : { confidence }),
  }));

const longestWord: fc.Arbitrary<CaptionWord> = fc
  .tuple(arbitraryText(MAX_WORD_CHARS, MAX_WORD_CHARS), interval)
  .map(([text, times]) => ({ text, ...times }));
/** One list in ten is so long that its message may be too large. */
const words = fc.oneof(
  { weight: 9, arbitrary: fc.array(arbitraryWord, { maxLength: 12 }) },
  { weight: 1, arbitrary: fc.array(longestWord, { minLength: 2, maxLength: 20, size: 'max' }) },
);
const broadcastHeader = fc.record({ room, epochMs: moment, seq: ordinal }, { noNullPrototype: true });
const gapContent: fc.Arbitrary<GapState> = fc
  .tuple(arbitrarySpeaker, interval, gapReason)
  .map(([speaker, times, reason]) => ({ speaker, ...times, reason }));

const segmentContent = fc.record(
  { segment, speaker: arbitrarySpeaker, trackSid, revision: ordinal, words, isFinal: fc.boolean(), language },
  {
    requiredKeys: ['segment', 'speaker', 'revision', 'words', 'isFinal', 'language'],
    noNullPrototype: true,
  },
);

/** Any valid delta; it may have more bytes than a message may have. */
export const arbitraryDelta: fc.Arbitrary<CaptionDelta> = fc
  .tuple(broadcastHeader, segmentContent, fc.nat({ max: 1000 }), fc.nat())
  .map(([header, content, anyKeep, anyStable]) => {
    const keep = content.revision === 1 ? 0 : anyKeep;
    const stable = anyStable % (keep + content.words.length + 1);
    return { kind: 'delta', ...header, ...content, keep, stable };
  });

/** Any valid gap. */
export const arbitraryGap: fc.Arbitrary<CaptionGap> = fc
  .tuple(broadcastHeader, gapContent)
  .map(([header, content]) => ({ kind: 'gap', ...header, ...content }));

/** Any valid status. */
export const arbitraryStatus: fc.Arbitrary<CaptionStatus> = fc
  .tuple(broadcastHeader, serviceState, statusReason)
  .map(([header, state, reason]) => ({ kind: 'status', ...header, state, reason }));

const snapshotSegment: fc.Arbitrary<SnapshotSegment> = fc
  .tuple(segmentContent, count, count)
  .map(([content, firstWord, stable]) => ({ ...content, firstWord, stable }));

/** Any valid snapshot part; it may have more bytes than a message may have. */
export const arbitrarySnapshot: fc.Arbitrary<CaptionSnapshot> = fc
  .record({
    room,
    epochMs: moment,
    seq: count,
    parts: fc.integer({ min: 1, max: MAX_SNAPSHOT_PARTS }),
    anyPart: fc.nat(),
    segments: fc.array(snapshotSegment, { maxLength: 3 }),
    gaps: fc.array(gapContent, { maxLength: 3 }),
    state: serviceState,
    reason: statusReason,
  })
  .map(({ anyPart, parts, ...rest }) => ({ kind: 'snapshot', ...rest, parts, part: anyPart % parts }));

/** Any valid resync. */
export const arbitraryResync: fc.Arbitrary<CaptionResync> = fc
  .tuple(room, count)
  .map(([name, lastSeq]) => ({ kind: 'resync', room: name, lastSeq }));

/** Any valid report of a viewer. */
export const arbitraryShown: fc.Arbitrary<CaptionShown> = fc
  .record({ room, epochMs: moment, seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) })
  .map((fields) => ({ kind: 'shown', ...fields }));

/** Any valid message about the token of a connection. */
export const arbitraryAccess: fc.Arbitrary<TokenMessage | AccessMessage> = fc.oneof(
  fc.stringMatching(/^[\w.~+/-]{1,40}={0,2}$/).map((token): TokenMessage => ({ kind: 'token', token })),
  fc.record(
    {
      kind: fc.constant('access' as const),
      expiresAtMs: moment,
      refusal: fc.record(
        { code: fc.string({ minLength: 1, maxLength: 40 }), message: fc.string({ maxLength: 200 }) },
        { noNullPrototype: true },
      ),
    },
    { requiredKeys: ['kind'], noNullPrototype: true },
  ),
);

/** Any valid message of any kind; deltas and snapshots may have more bytes than a message may have. */
export const arbitraryMessage: fc.Arbitrary<CaptionMessage> = fc.oneof(
  arbitraryDelta,
  arbitraryGap,
  arbitraryStatus,
  arbitrarySnapshot,
  arbitraryResync,
  arbitraryShown,
  arbitraryAccess,
);

/** What a person sees of a state, and how far it is. */
export interface VisibleState {
  readonly epochMs: number;
  readonly seq: number;
  readonly segments: readonly SegmentState[];
  readonly gaps: readonly GapState[];
  readonly state: CaptionServiceState;
  readonly reason: string;
}

export const visible = (captions: CaptionState): VisibleState => ({
  epochMs: captions.epochMs,
  seq: captions.seq,
  segments: segmentsOf(captions),
  gaps: captions.gaps,
  state: captions.state,
  reason: captions.reason,
});

/** All that a gateway broadcast, in order, and what everybody should see after it. */
export interface Meeting {
  readonly room: RoomName;
  readonly messages: readonly BroadcastMessage[];
  readonly outcome: VisibleState;
}

type MeetingEvent =
  | { type: 'speech'; speaker: number; keep: number; words: CaptionWord[]; stable: number; ends: boolean }
  | { type: 'gap'; gap: GapState }
  | { type: 'status'; state: CaptionServiceState; reason: string }
  | { type: 'restart'; laterByMs: number };

const SPEAKERS: readonly Speaker[] = [
  { identity: participantIdentity('ana'), name: 'Ana' },
  { identity: participantIdentity('bo'), name: '' },
  { identity: participantIdentity('room-4'), name: 'Room 4', label: 'A' },
  { identity: participantIdentity('room-4'), name: 'Room 4', label: 'B' },
];

/** Keeps the truth in plain mutable collections: not the reducer's code, so that the two can disagree. */
class MeetingWriter {
  readonly room = roomName('council');
  readonly messages: BroadcastMessage[] = [];
  #epochMs = epochMs(1_700_000_000_000);
  #seq = 0;
  #segmentsBegun = 0;
  #open = new Map<number, SegmentState>();
  #finals: SegmentState[] = [];
  #gaps: GapState[] = [];
  #status: { state: CaptionServiceState; reason: string } = { state: 'live', reason: '' };

  write(event: MeetingEvent): void {
    switch (event.type) {
      case 'speech':
        this.#speak(event);
        return;
      case 'gap':
        this.#gaps.push(event.gap);
        this.messages.push({ kind: 'gap', ...this.#nextHeader(), ...event.gap });
        return;
      case 'status':
        this.#status = { state: event.state, reason: event.reason };
        this.messages.push({ kind: 'status', ...this.#nextHeader(), ...this.#status });
        return;
      case 'restart':
        this.#restart(event.laterByMs);
    }
  }

  outcome(): VisibleState {
    return {
      epochMs: this.#epochMs,
      seq: this.#seq,
      segments: [...this.#finals.slice(-HISTORY_FINAL_SEGMENTS), ...this.#open.values()],
      gaps: this.#gaps.slice(-HISTORY_GAPS),
      ...this.#status,
    };
  }

  #speak(event: Extract<MeetingEvent, { type: 'speech' }>): void {
    const index = event.speaker % SPEAKERS.length;
    const previous = this.#open.get(index) ?? this.#beginSegment(index);
    const keep = previous.stable + (event.keep % (previous.words.length - previous.stable + 1));
    const allWords = [...previous.words.slice(0, keep), ...event.words];
    const stable = Math.max(previous.stable, event.stable % (allWords.length + 1));
    const revised = {
      ...previous,
      revision: previous.revision + 1,
      words: allWords,
      stable,
      isFinal: event.ends,
    };
    this.messages.push({ kind: 'delta', ...this.#nextHeader(), ...revised, keep, words: event.words });
    if (event.ends) {
      this.#open.delete(index);
      this.#finals.push(revised);
    } else {
      this.#open.set(index, revised);
    }
  }

  #beginSegment(speakerIndex: number): SegmentState {
    this.#segmentsBegun += 1;
    return {
      segment: segmentId(`segment-${this.#segmentsBegun}`),
      speaker: SPEAKERS[speakerIndex]!,
      ...(speakerIndex === 0 ? { trackSid: 'TR_ana' } : {}),
      revision: 0,
      words: [],
      stable: 0,
      isFinal: false,
      language: 'en',
    };
  }

  #restart(laterByMs: number): void {
    // An epoch without a message is known to nobody: it cannot be part of what viewers should see.
    if (this.#seq === 0) return;
    this.#epochMs = epochMs(this.#epochMs + laterByMs);
    this.#seq = 0;
    this.#open = new Map();
    this.#finals = [];
    this.#gaps = [];
    this.#status = { state: 'live', reason: '' };
    this.write({ type: 'status', state: 'live', reason: '' });
  }

  #nextHeader(): Pick<CaptionGap, 'room' | 'epochMs' | 'seq'> {
    this.#seq += 1;
    return { room: this.room, epochMs: this.#epochMs, seq: this.#seq };
  }
}

const speech: fc.Arbitrary<MeetingEvent> = fc.record(
  {
    type: fc.constant('speech' as const),
    speaker: fc.nat({ max: SPEAKERS.length - 1 }),
    keep: fc.nat({ max: 100 }),
    words: fc.array(arbitraryWord, { maxLength: 5 }),
    stable: fc.nat({ max: 100 }),
    ends: fc.boolean(),
  },
  { noNullPrototype: true },
);
const meetingEvent: fc.Arbitrary<MeetingEvent> = fc.oneof(
  { weight: 80, arbitrary: speech },
  { weight: 12, arbitrary: gapContent.map((gap) => ({ type: 'gap' as const, gap })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(serviceState, statusReason)
      .map(([state, reason]) => ({ type: 'status' as const, state, reason })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 100_000 })
      .map((laterByMs) => ({ type: 'restart' as const, laterByMs })),
  },
);

/**
 * A meeting that a gateway could have broadcast: several speakers, segments revised and ended, gaps, statuses and
 * restarts; at least one message, and now and then more than the histories and one snapshot part hold.
 */
export const arbitraryMeeting: fc.Arbitrary<Meeting> = fc
  .tuple(speech, fc.array(meetingEvent, { maxLength: 160, size: 'max' }))
  .map(([first, rest]) => {
    const writer = new MeetingWriter();
    for (const event of [first, ...rest]) writer.write(event);
    return { room: writer.room, messages: writer.messages, outcome: writer.outcome() };
  });

/** What a bad road does to one message: how often it arrives, and by how many places too late. */
export interface Disturbance {
  readonly copies: number;
  readonly delay: number;
}

const mildDisturbances = fc.array(fc.record({ copies: fc.nat({ max: 2 }), delay: fc.nat({ max: 8 }) }), {
  minLength: 1,
  maxLength: 50,
});
const wildDisturbances = fc.array(fc.record({ copies: fc.nat({ max: 3 }), delay: fc.nat({ max: 300 }) }), {
  minLength: 1,
  maxLength: 200,
});
const harmlessDisturbances = fc.array(
  fc.record({ copies: fc.integer({ min: 1, max: 2 }), delay: fc.nat({ max: 30 }) }),
  { minLength: 1, maxLength: 50 },
);

/** Loss, duplication and reordering, from a little to nearly everything; for `disturb`. */
export const arbitraryDisturbances: fc.Arbitrary<readonly Disturbance[]> = fc.oneof(
  mildDisturbances,
  wildDisturbances,
);
/** Duplication and reordering by at most 30 places, without loss; for `disturb`. */
export const arbitraryReordering: fc.Arbitrary<readonly Disturbance[]> = harmlessDisturbances;

/** The messages as they arrive: the disturbances are used in turn, as often as needed. */
export const disturb = <Message>(
  messages: readonly Message[],
  disturbances: readonly Disturbance[],
): Message[] =>
  messages
    .flatMap((message, index) => {
      const { copies, delay } = disturbances[index % disturbances.length]!;
      return Array.from({ length: copies }, (_, copy) => ({ message, place: index + delay * (copy + 1) }));
    })
    .toSorted((a, b) => a.place - b.place)
    .map(({ message }) => message);
