/** What a viewer saw of each speaker, against what was said and when. Definitions: see `asr/scoring`. */
import type { CaptionMessage, CaptionState } from '../../protocol/index.js';
import {
  matchReferenceWords,
  normaliseWords,
  type TrackingResult,
  wordErrorRate,
  WordTracker,
} from '../../asr/index.js';
import type { SpokenWord } from './meeting.js';

/** Watches a room through a viewer's reducer, one tracker per speaker. */
export class CaptionWatch {
  readonly #trackers = new Map<string, WordTracker>();

  /** To be called with every state a viewer's reducer comes to, at `nowMs` on the clock of the playback. */
  observe(state: CaptionState, message: CaptionMessage, nowMs: number): void {
    const changed = message.kind === 'delta' ? message.segment : undefined;
    for (const segment of [...state.finals, ...state.open]) {
      if (changed !== undefined && segment.segment !== changed) continue;
      const { identity } = segment.speaker;
      const tracker = this.#trackers.get(identity) ?? new WordTracker();
      this.#trackers.set(identity, tracker);
      tracker.observe({ segment: segment.segment, words: segment.words, isFinal: segment.isFinal, nowMs });
    }
  }

  resultOf(identity: string): TrackingResult {
    return (this.#trackers.get(identity) ?? new WordTracker()).result();
  }
}

/** Raw samples of one speaker; all in milliseconds of wall-clock time. */
export interface SpeakerMeasurement {
  readonly shownWords: readonly string[];
  readonly spokenWords: number;
  readonly wordErrors: number;
  /** End of each word that was recognised to the moment it stood in the viewer's reducer. */
  readonly wordLatenciesMs: readonly number[];
  /** End of the last word of each segment to its final. */
  readonly finalLatenciesMs: readonly number[];
}

/**
 * `startAtMs`: when the meeting began, on the clock of the observations; `speed`: how much faster than spoken it was played.
 */
export function measureSpeaker(
  tracking: TrackingResult,
  playback: { spoken: readonly SpokenWord[]; startAtMs: number; speed: number },
): SpeakerMeasurement {
  const moment = (meetingMs: number): number => playback.startAtMs + meetingMs / playback.speed;
  const { spoken } = playback;
  const matches = matchReferenceWords({
    reference: spoken.map(({ text, endMs }) => ({ text, endMs: moment(endMs) })),
    words: tracking.words,
  });
  const speechEndsMs = new Map<string, number>();
  for (const { referenceIndex, wordIndex } of matches) {
    const word = spoken[referenceIndex];
    const segment = tracking.words[wordIndex]?.segment;
    if (word !== undefined && segment !== undefined) speechEndsMs.set(segment, moment(word.endMs));
  }
  const finalLatenciesMs = tracking.segments.flatMap(({ segment, finalAtMs }) => {
    const speechEndMs = speechEndsMs.get(segment);
    return speechEndMs === undefined || finalAtMs === null ? [] : [finalAtMs - speechEndMs];
  });
  const shownWords = normaliseWords(tracking.words.map(({ text }) => text).join(' '));
  const spokenWords = normaliseWords(spoken.map(({ text }) => text).join(' '));
  return {
    shownWords,
    spokenWords: spokenWords.length,
    wordErrors: spokenWords.length === 0 ? 0 : wordErrorRate(spokenWords, shownWords).errors,
    wordLatenciesMs: matches.map(({ latencyMs }) => latencyMs),
    finalLatenciesMs,
  };
}
