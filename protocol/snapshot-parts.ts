/** From the parts of a snapshot to what they say together. */
import {
  HISTORY_FINAL_SEGMENTS,
  HISTORY_GAPS,
  type CaptionSnapshot,
  type CaptionWord,
  type SnapshotSegment,
} from './caption.js';
import type { CaptionState, SegmentState } from './caption-state.js';

/** What a complete snapshot replaces in a state. */
export type SnapshotContent = Pick<
  CaptionState,
  'epochMs' | 'seq' | 'finals' | 'open' | 'gaps' | 'state' | 'reason' | 'code'
>;

/**
 * Adds a part to those of its snapshot. Only one snapshot is collected at a time, the one with the largest `seq`, so
 * that memory is bounded by one snapshot. The same list where `part` adds nothing. All are of the same epoch.
 */
export const collectPart = (
  parts: readonly CaptionSnapshot[],
  part: CaptionSnapshot,
): readonly CaptionSnapshot[] => {
  const [first] = parts;
  if (first === undefined || part.seq > first.seq) return [part];
  if (part.seq < first.seq) return parts;
  if (part.parts !== first.parts) return [part];
  return parts.some((known) => known.part === part.part) ? parts : [...parts, part];
};

/** The content of all parts of one snapshot, given in any order; undefined where they do not fit together. */
export const joinParts = (parts: readonly CaptionSnapshot[]): SnapshotContent | undefined => {
  const ordered = parts.toSorted((a, b) => a.part - b.part);
  const [first] = ordered;
  const segments = joinSlices(ordered.flatMap((part) => part.segments));
  if (first === undefined || segments === undefined) return undefined;
  return {
    epochMs: first.epochMs,
    seq: first.seq,
    finals: segments.filter((segment) => segment.isFinal).slice(-HISTORY_FINAL_SEGMENTS),
    open: segments.filter((segment) => !segment.isFinal),
    gaps: ordered.flatMap((part) => part.gaps).slice(-HISTORY_GAPS),
    state: first.state,
    reason: first.reason,
    code: first.code,
  };
};

const joinSlices = (slices: readonly SnapshotSegment[]): SegmentState[] | undefined => {
  const segments: (SegmentState & { readonly words: CaptionWord[] })[] = [];
  for (const { firstWord, ...slice } of slices) {
    if (firstWord === 0) {
      segments.push({ ...slice, words: [...slice.words] });
      continue;
    }
    const begun = segments.at(-1);
    const continues =
      begun?.segment === slice.segment &&
      begun.revision === slice.revision &&
      begun.words.length === firstWord;
    if (!continues) return undefined;
    begun.words.push(...slice.words);
  }
  return segments;
};
