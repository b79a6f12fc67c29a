import { peopleOf } from './speaker-names.js';
import { endOf, startOf, type Transcript } from './transcript-entry.js';

/** The part of a meeting between two moments after its beginning; entries that overlap it are kept whole. */
export function clipTranscript(
  transcript: Transcript,
  { fromMs = 0, toMs = Infinity }: { fromMs?: number; toMs?: number },
): Transcript {
  const { startedAtMs } = transcript;
  const entries = transcript.entries.filter(
    (entry) => endOf(entry) - startedAtMs >= fromMs && startOf(entry) - startedAtMs <= toMs,
  );
  // People are called the same in every part.
  return { ...transcript, people: peopleOf(transcript.entries), entries };
}
