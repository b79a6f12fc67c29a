import { alignWords, type TrackedWord, type TrackingResult, wordKey } from '../asr/index.js';
import { type SpeakerSchedule, wordsAt } from './clip-schedule.js';

/**
 * Gives each shown word the time at which it was said, by aligning all that was shown of a speaker with all that was said: for captions that
 * carry no times. A word too many is put where the word before it was said. Only clips with word times can be found so.
 * @throws CaptionError `alignment_too_long`.
 */
export function retimeWords(
  tracking: TrackingResult,
  { schedule, startAtMs }: { readonly schedule: SpeakerSchedule; readonly startAtMs: number },
): TrackingResult {
  const said = schedule.clips.flatMap(wordsAt);
  const startEpochMs = performance.timeOrigin + startAtMs;
  const words: TrackedWord[] = [...tracking.words];
  let place = said[0];
  const ops = alignWords(
    said.map(({ text }) => wordKey(text)),
    words.map(({ text }) => wordKey(text)),
  );
  for (const { referenceIndex, hypothesisIndex } of ops) {
    if (referenceIndex !== undefined) place = said[referenceIndex];
    const word = hypothesisIndex === undefined ? undefined : words[hypothesisIndex];
    if (word === undefined || hypothesisIndex === undefined || place === undefined) continue;
    const [startMs, endMs] = [startEpochMs + place.startMs, startEpochMs + place.endMs];
    words[hypothesisIndex] = { ...word, startMs, endMs };
  }
  return { ...tracking, words };
}
