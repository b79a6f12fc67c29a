import { epochMs, participantIdentity, roomName, segmentId } from '../../../protocol/index.js';
import type { Author, Transcript, TranscriptEntry, TranscriptSegment } from '../transcript-entry.js';

export const STARTED_AT_MS = Date.UTC(2026, 10, 25, 9, 0, 0);

let segments = 0;

/** What somebody says from `atMs` after the beginning on, one word after the other. */
export function spoken(
  who: string,
  text: string,
  options: { atMs?: number; wordMs?: number; author?: Author } = {},
): TranscriptSegment {
  const { atMs = 0, wordMs = 300, author } = options;
  segments += 1;
  return {
    kind: 'segment',
    segment: segmentId(`s${segments}`),
    speaker: { identity: participantIdentity(who.toLowerCase()), name: who },
    ...(author === undefined ? {} : { author }),
    language: 'en',
    words: text.split(' ').map((word, index) => ({
      text: word,
      startMs: epochMs(STARTED_AT_MS + atMs + index * wordMs),
      endMs: epochMs(STARTED_AT_MS + atMs + (index + 1) * wordMs),
    })),
  };
}

export const gap = (who: string, atMs: number, durationMs: number): TranscriptEntry => ({
  kind: 'gap',
  speaker: { identity: participantIdentity(who.toLowerCase()), name: who },
  startMs: epochMs(STARTED_AT_MS + atMs),
  endMs: epochMs(STARTED_AT_MS + atMs + durationMs),
  reason: 'overloaded',
});

/** In the order given. */
export const meetingOf = (...entries: TranscriptEntry[]): Transcript => ({
  room: roomName('council'),
  meeting: 'm1-0123456789ab',
  startedAtMs: STARTED_AT_MS,
  droppedEntries: 0,
  entries,
});
