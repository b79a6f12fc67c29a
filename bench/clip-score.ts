import { matchReferenceWords, normaliseWords, type TrackingResult, wordErrorRate } from '../asr/index.js';
import { samplesToMs } from '../protocol/index.js';
import { type ScheduledClip, type SpeakerSchedule, wordsAt } from './clip-schedule.js';

/** Captions whose words lie this far outside a clip still belong to it: times of words are estimates. */
const CLIP_MARGIN_MS = 400;

/** One clip as one speaker said it, scored. Latencies in milliseconds. */
export interface ScoredClip {
  readonly clip: ScheduledClip;
  /** End of each word that was recognised to the moment it stood in the viewer's reducer. */
  readonly wordLatenciesMs: readonly number[];
  /** End of speech to the final, for each segment. */
  readonly finalLatenciesMs: readonly number[];
  /** Onset of speech to the first text, for each segment. */
  readonly firstPartialsMs: readonly number[];
  /** Against the clip's transcript; null where there is none. */
  readonly words: { readonly errors: number; readonly spoken: number } | null;
}

/** What a viewer saw of one speaker; `startAtMs`: when the meeting began, on the monotonic clock of the observations. */
export interface WatchedSpeaker {
  readonly tracking: TrackingResult;
  readonly startAtMs: number;
}

/** Scores each clip on its own, so that a clip without transcript or word times disturbs no other. */
export function scoreClips(schedule: SpeakerSchedule, { tracking, startAtMs }: WatchedSpeaker): ScoredClip[] {
  return schedule.clips.map((clip) => {
    const watched = { tracking: captionsDuring(tracking, spanOf(clip, startAtMs)), startAtMs };
    return { clip, ...latenciesOf(clip, watched), words: wordErrorsOf(clip, watched.tracking) };
  });
}

function latenciesOf(
  clip: ScheduledClip,
  { tracking, startAtMs }: WatchedSpeaker,
): Pick<ScoredClip, 'wordLatenciesMs' | 'finalLatenciesMs' | 'firstPartialsMs'> {
  const reference = wordsAt(clip).map(({ text, startMs, endMs }) => ({
    text,
    startMs: startAtMs + startMs,
    endMs: startAtMs + endMs,
  }));
  const matches = matchReferenceWords({ reference, words: tracking.words });
  const finalLatenciesMs: number[] = [];
  const firstPartialsMs: number[] = [];
  const { speech } = clip.clip;
  const clipStartMs = startAtMs + clip.startMs;
  for (const [index, { segment, firstShownMs, finalAtMs }] of tracking.segments.entries()) {
    const isFirst = index === 0;
    const isLast = index === tracking.segments.length - 1;
    const spoken = matches
      .filter(({ wordIndex }) => tracking.words[wordIndex]?.segment === segment)
      .map(({ referenceIndex }) => reference[referenceIndex]);
    // A first or last word that was misheard moves neither end of the clip's speech, only what is known of cuts inside it.
    const onsetMs = isFirst && speech !== null ? clipStartMs + speech.startMs : spoken[0]?.startMs;
    const endMs = isLast && speech !== null ? clipStartMs + speech.endMs : spoken.at(-1)?.endMs;
    if (firstShownMs !== null && onsetMs !== undefined) firstPartialsMs.push(firstShownMs - onsetMs);
    if (finalAtMs !== null && endMs !== undefined) finalLatenciesMs.push(finalAtMs - endMs);
  }
  return { wordLatenciesMs: matches.map(({ latencyMs }) => latencyMs), finalLatenciesMs, firstPartialsMs };
}

function wordErrorsOf({ clip: { text } }: ScheduledClip, tracking: TrackingResult): ScoredClip['words'] {
  if (text === null) return null;
  const spoken = normaliseWords(text);
  const shown = normaliseWords(tracking.words.map((word) => word.text).join(' '));
  return { errors: wordErrorRate(spoken, shown).errors, spoken: spoken.length };
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
