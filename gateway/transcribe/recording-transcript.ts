import { epochMs, participantIdentity, segmentId } from '../../protocol/index.js';
import { startOf, type Transcript, type TranscriptSegment } from '../transcript/transcript-entry.js';
import type { TranscribedSegment } from './transcribe-pcm.js';

/** What was recognised of one track of a recording. */
export interface RecordedTrack {
  /** Absent where nobody knows who speaks. */
  readonly speaker?: string;
  readonly segments: readonly TranscribedSegment[];
}

/** Tracks of one recording as a transcript, whose times count from the beginning of the recording. */
export function recordingTranscript(tracks: readonly RecordedTrack[]): Transcript {
  const entries = tracks.flatMap(({ speaker, segments }, track) =>
    segments.map(({ words }, index): TranscriptSegment => ({
      kind: 'segment',
      segment: segmentId(`${track + 1}-${index + 1}`),
      speaker: { identity: participantIdentity(`track-${track + 1}`), name: speaker ?? '' },
      language: '',
      words: words.map(({ text, startMs, endMs }) => ({
        text,
        startMs: epochMs(startMs),
        endMs: epochMs(endMs),
      })),
    })),
  );
  entries.sort((a, b) => startOf(a) - startOf(b));
  return { startedAtMs: 0, droppedEntries: 0, entries };
}
