import { PROTOCOL_VERSION, type CaptionSnapshot, type SnapshotSegment } from './caption.js';
import { segmentsOf, type CaptionState, type GapState, type SegmentState } from './caption-state.js';
import { MAX_SNAPSHOT_PARTS } from './limits.js';
import { jsonBytes, packByBytes } from './packing.js';
import { MAX_SIGNABLE_BYTES } from './signature.js';

/**
 * A state as the parts of one snapshot, each within `MAX_MESSAGE_BYTES` with its signature; at least one. A viewer that is not ahead of
 * `state` shows the same as `state` once it has all parts, in any order. A segment that fits one part is never cut;
 * a longer one continues in the next part at its `firstWord`.
 * States beyond `MAX_SNAPSHOT_PARTS` parts (about 15 MB of captions) cannot be encoded: `encodeMessage` refuses them.
 */
export const snapshotMessages = (state: CaptionState): CaptionSnapshot[] => {
  const roomBytes = MAX_SIGNABLE_BYTES - envelopeBytes(state);
  const slices = segmentsOf(state).flatMap((segment) => sliceSegment(segment, roomBytes));
  const groups = packByBytes([...slices, ...state.gaps], roomBytes);
  if (groups.length === 0) groups.push([]);
  return groups.map((group, part) => ({
    ...emptyPart(state),
    part,
    parts: groups.length,
    segments: group.filter(isSlice),
    gaps: group.filter(isGap),
  }));
};

const isSlice = (item: SnapshotSegment | GapState): item is SnapshotSegment => 'segment' in item;

const isGap = (item: SnapshotSegment | GapState): item is GapState => !isSlice(item);

const sliceSegment = (segment: SegmentState, roomBytes: number): SnapshotSegment[] => {
  const whole: SnapshotSegment = { ...segment, firstWord: 0 };
  if (jsonBytes(whole) + 1 <= roomBytes) return [whole];
  const headerBytes = jsonBytes({ ...whole, firstWord: segment.words.length, words: [] }) + 1;
  let firstWord = 0;
  return packByBytes(segment.words, roomBytes - headerBytes).map((words) => {
    const slice: SnapshotSegment = { ...whole, firstWord, words };
    firstWord += words.length;
    return slice;
  });
};

const emptyPart = ({ room, epochMs, seq, state, reason, code }: CaptionState): CaptionSnapshot => ({
  kind: 'snapshot',
  room,
  epochMs,
  seq,
  part: MAX_SNAPSHOT_PARTS - 1,
  parts: MAX_SNAPSHOT_PARTS,
  segments: [],
  gaps: [],
  state,
  reason,
  ...(code === undefined ? {} : { code }),
});

const envelopeBytes = (state: CaptionState): number =>
  jsonBytes({ v: PROTOCOL_VERSION, ...emptyPart(state) });
