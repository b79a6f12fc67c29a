import { normaliseWords, type TrackingResult, wordErrorRate } from '../asr/index.js';
import { samplesToMs } from '../protocol/index.js';
import { measureSpeaker, type SpeakerMeasurement } from '../gateway/index.js';
import { type ScheduledClip, type SpeakerSchedule, wordsAt } from './clip-schedule.js';

/** Captions whose words lie this far outside a clip still belong to it: times of words are estimates. */
const CLIP_MARGIN_MS = 400;

/** One clip as one speaker said it, scored. */
export interface ScoredClip {
  readonly clip: ScheduledClip;
  readonly measured: SpeakerMeasurement;
  /** Against the clip's transcript; null where there is none. */
  readonly words: { readonly errors: number; readonly spoken: number } | null;
}

/**
 * Scores each clip on its own, so that a clip without transcript or word times disturbs no other.
 * `startAtMs`: when the meeting began, on the monotonic clock of the observations.
 */
export function scoreClips(
  schedule: SpeakerSchedule,
  watched: { tracking: TrackingResult; startAtMs: number },
): ScoredClip[] {
  const { tracking, startAtMs } = watched;
  return schedule.clips.map((clip) => {
    const ofClip = captionsDuring(tracking, spanOf(clip, startAtMs));
    const measured = measureSpeaker(ofClip, { spoken: wordsAt(clip), startAtMs, speed: 1 });
    const { text } = clip.clip;
    if (text === null) return { clip, measured, words: null };
    const spoken = normaliseWords(text);
    return {
      clip,
      measured,
      words: { errors: wordErrorRate(spoken, measured.shownWords).errors, spoken: spoken.length },
    };
  });
}

/** When a clip is heard, in Unix time, which is what caption words carry. */
function spanOf({ startMs, clip }: ScheduledClip, startAtMs: number): { fromMs: number; toMs: number } {
  const beginMs = performance.timeOrigin + startAtMs + startMs;
  return { fromMs: beginMs - CLIP_MARGIN_MS, toMs: beginMs + samplesToMs(clip.pcm.length) + CLIP_MARGIN_MS };
}

function captionsDuring(tracking: TrackingResult, span: { fromMs: number; toMs: number }): TrackingResult {
  const words = tracking.words.filter(({ startMs, endMs }) => {
    const middleMs = (startMs + endMs) / 2;
    return middleMs >= span.fromMs && middleMs <= span.toMs;
  });
  const names = new Set(words.map(({ segment }) => segment));
  return { ...tracking, words, segments: tracking.segments.filter(({ segment }) => names.has(segment)) };
}
