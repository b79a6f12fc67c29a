/** What broadcast messages mean. When they may be applied is decided in `reducer.ts`. */
import {
  HISTORY_FINAL_SEGMENTS,
  HISTORY_GAPS,
  type BroadcastMessage,
  type CaptionDelta,
  type CaptionGap,
} from './caption.js';
import type { CaptionState, SegmentState } from './caption-state.js';

/**
 * `state` with the content of `message`; the caller has checked that `message` is the next one.
 * Undefined where the message contradicts the state: then something must have been missed.
 */
export const applyBroadcast = (state: CaptionState, message: BroadcastMessage): CaptionState | undefined => {
  switch (message.kind) {
    case 'delta':
      return applyDelta(state, message);
    case 'gap':
      return { ...state, seq: message.seq, gaps: [...state.gaps, gapOf(message)].slice(-HISTORY_GAPS) };
    case 'status':
      return { ...state, seq: message.seq, state: message.state, reason: message.reason, code: message.code };
  }
};

const applyDelta = (state: CaptionState, delta: CaptionDelta): CaptionState | undefined => {
  const index = state.open.findIndex((open) => open.segment === delta.segment);
  const revised = reviseSegment(state.open[index], delta);
  if (revised === undefined || state.finals.some((final) => final.segment === delta.segment))
    return undefined;
  const { seq } = delta;
  if (!revised.isFinal) {
    const open = index < 0 ? [...state.open, revised] : state.open.with(index, revised);
    return { ...state, seq, open };
  }
  return {
    ...state,
    seq,
    open: state.open.filter((open) => open.segment !== delta.segment),
    finals: [...state.finals, revised].slice(-HISTORY_FINAL_SEGMENTS),
  };
};

const reviseSegment = (previous: SegmentState | undefined, delta: CaptionDelta): SegmentState | undefined => {
  const { segment, speaker, trackSid, revision, keep, stable, isFinal, language } = delta;
  const words = previous?.words ?? [];
  if (revision !== (previous?.revision ?? 0) + 1 || keep > words.length) return undefined;
  return {
    segment,
    speaker,
    ...(trackSid === undefined ? {} : { trackSid }),
    revision,
    words: [...words.slice(0, keep), ...delta.words],
    stable,
    isFinal,
    language,
  };
};

const gapOf = ({ speaker, startMs, endMs, reason }: CaptionGap) => ({ speaker, startMs, endMs, reason });
