/** The rules of every field of every message kind. One function per kind; the order of its fields is the wire's. */
import { readAccessMessage, readTokenMessage } from './access.js';
import {
  type CaptionDelta,
  type CaptionGap,
  type CaptionMessage,
  type CaptionResync,
  type CaptionShown,
  type CaptionSnapshot,
  type CaptionStatus,
  type CaptionWord,
  type CaptionServiceState,
  GAP_REASONS,
  type SnapshotSegment,
  type Speaker,
} from './caption.js';
import type { Bounds, FieldReader } from './field-reader.js';
import {
  MAX_EPOCH_MS,
  MAX_LABEL_CHARS,
  MAX_LANGUAGE_CHARS,
  MAX_NAME_CHARS,
  MAX_SEGMENT_ID_CHARS,
  MAX_SNAPSHOT_PARTS,
  MAX_STATUS_CODE_CHARS,
  MAX_TRACK_SID_CHARS,
  MAX_WORD_CHARS,
} from './limits.js';
import { epochMs, participantIdentity, roomName, segmentId, type EpochMs } from './units.js';

const NAME: Bounds = { min: 1, max: MAX_NAME_CHARS };
const NAME_OR_EMPTY: Bounds = { min: 0, max: MAX_NAME_CHARS };
const LABEL: Bounds = { min: 1, max: MAX_LABEL_CHARS };
const TRACK_SID: Bounds = { min: 1, max: MAX_TRACK_SID_CHARS };
const SEGMENT_ID: Bounds = { min: 1, max: MAX_SEGMENT_ID_CHARS };
const WORD: Bounds = { min: 1, max: MAX_WORD_CHARS };
const STATUS_CODE: Bounds = { min: 1, max: MAX_STATUS_CODE_CHARS };
const LANGUAGE: Bounds = { min: 0, max: MAX_LANGUAGE_CHARS };
const MOMENT: Bounds = { min: 0, max: MAX_EPOCH_MS };
const COUNT: Bounds = { min: 0, max: Number.MAX_SAFE_INTEGER };
const ORDINAL: Bounds = { min: 1, max: Number.MAX_SAFE_INTEGER };
const PART: Bounds = { min: 0, max: MAX_SNAPSHOT_PARTS - 1 };
const PARTS: Bounds = { min: 1, max: MAX_SNAPSHOT_PARTS };
const SERVICE_STATES: readonly CaptionServiceState[] = ['live', 'degraded', 'unavailable'];

/**
 * A new message that has exactly the fields of version 1, all of them checked, in the wire's order.
 * Undefined for a kind that version 1 does not know. Throws `CodecError` `message_malformed`.
 */
export const readMessage = (fields: FieldReader): CaptionMessage | undefined => {
  const kind = fields.text('kind', NAME);
  switch (kind) {
    case 'delta':
      return readDelta(fields);
    case 'gap':
      return readGap(fields);
    case 'status':
      return readStatus(fields);
    case 'snapshot':
      return readSnapshot(fields);
    case 'resync':
      return readResync(fields);
    case 'shown':
      return readShown(fields);
    case 'token':
      return readTokenMessage(fields);
    case 'access':
      return readAccessMessage(fields);
    default:
      return undefined;
  }
};

const readDelta = (fields: FieldReader): CaptionDelta => {
  const delta: CaptionDelta = {
    kind: 'delta',
    ...readBroadcastHeader(fields),
    speaker: readSpeaker(fields.object('speaker')),
    ...readTrackSid(fields),
    segment: segmentId(fields.text('segment', SEGMENT_ID)),
    revision: fields.integer('revision', ORDINAL),
    keep: fields.integer('keep', COUNT),
    words: fields.list('words', readWord),
    stable: fields.integer('stable', COUNT),
    isFinal: fields.flag('isFinal'),
    language: fields.text('language', LANGUAGE),
  };
  if (delta.revision === 1 && delta.keep > 0) throw fields.malformed('keep', '0 at revision 1');
  if (delta.stable > delta.keep + delta.words.length) {
    throw fields.malformed(
      'stable',
      'at most the number of words, which is keep plus the words of the delta',
    );
  }
  return delta;
};

const readGap = (fields: FieldReader): CaptionGap => ({
  kind: 'gap',
  ...readBroadcastHeader(fields),
  ...readGapContent(fields),
});

const readStatus = (fields: FieldReader): CaptionStatus => ({
  kind: 'status',
  ...readBroadcastHeader(fields),
  ...readServiceState(fields),
});

const readSnapshot = (fields: FieldReader): CaptionSnapshot => {
  const snapshot: CaptionSnapshot = {
    kind: 'snapshot',
    room: roomName(fields.text('room', NAME)),
    epochMs: readMoment(fields, 'epochMs'),
    seq: fields.integer('seq', COUNT),
    part: fields.integer('part', PART),
    parts: fields.integer('parts', PARTS),
    segments: fields.list('segments', readSnapshotSegment),
    gaps: fields.list('gaps', readGapContent),
    ...readServiceState(fields),
  };
  if (snapshot.part >= snapshot.parts) throw fields.malformed('part', 'smaller than parts');
  return snapshot;
};

const readResync = (fields: FieldReader): CaptionResync => ({
  kind: 'resync',
  room: roomName(fields.text('room', NAME)),
  lastSeq: fields.integer('lastSeq', COUNT),
});

const readShown = (fields: FieldReader): CaptionShown => ({
  kind: 'shown',
  ...readBroadcastHeader(fields),
});

const readBroadcastHeader = (fields: FieldReader): Pick<CaptionDelta, 'room' | 'epochMs' | 'seq'> => ({
  room: roomName(fields.text('room', NAME)),
  epochMs: readMoment(fields, 'epochMs'),
  seq: fields.integer('seq', ORDINAL),
});

const readSnapshotSegment = (fields: FieldReader): SnapshotSegment => ({
  segment: segmentId(fields.text('segment', SEGMENT_ID)),
  speaker: readSpeaker(fields.object('speaker')),
  ...readTrackSid(fields),
  revision: fields.integer('revision', ORDINAL),
  firstWord: fields.integer('firstWord', COUNT),
  words: fields.list('words', readWord),
  stable: fields.integer('stable', COUNT),
  isFinal: fields.flag('isFinal'),
  language: fields.text('language', LANGUAGE),
});

const readGapContent = (fields: FieldReader): CaptionSnapshot['gaps'][number] => ({
  speaker: readSpeaker(fields.object('speaker')),
  ...readInterval(fields),
  reason: fields.choice('reason', GAP_REASONS),
});

const readWord = (fields: FieldReader): CaptionWord => {
  const text = fields.text('text', WORD);
  const interval = readInterval(fields);
  const confidence = fields.optionalFraction('confidence');
  return confidence === undefined ? { text, ...interval } : { text, ...interval, confidence };
};

const readSpeaker = (fields: FieldReader): Speaker => {
  const identity = participantIdentity(fields.text('identity', NAME));
  const name = fields.text('name', NAME_OR_EMPTY);
  const label = fields.optionalText('label', LABEL);
  return label === undefined ? { identity, name } : { identity, name, label };
};

const readTrackSid = (fields: FieldReader): { trackSid?: string } => {
  const trackSid = fields.optionalText('trackSid', TRACK_SID);
  return trackSid === undefined ? {} : { trackSid };
};

const readServiceState = (fields: FieldReader): Pick<CaptionStatus, 'state' | 'reason' | 'code'> => {
  const code = fields.optionalText('code', STATUS_CODE);
  return {
    state: fields.choice('state', SERVICE_STATES),
    reason: fields.text('reason', NAME_OR_EMPTY),
    ...(code === undefined ? {} : { code }),
  };
};

const readInterval = (fields: FieldReader): Pick<CaptionWord, 'startMs' | 'endMs'> => {
  const startMs = readMoment(fields, 'startMs');
  const endMs = readMoment(fields, 'endMs');
  if (endMs < startMs) throw fields.malformed('endMs', `at least startMs, which is ${startMs}`);
  return { startMs, endMs };
};

const readMoment = (fields: FieldReader, name: string): EpochMs => epochMs(fields.integer(name, MOMENT));
