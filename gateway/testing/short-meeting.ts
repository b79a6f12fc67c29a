import { fileURLToPath } from 'node:url';
import { normaliseWords } from '../../asr/index.js';
import { type CaptionState, segmentsOf } from '../../protocol/index.js';
import type { Gateway } from '../gateway.js';
import { loadMeeting, type Meeting, type SpeakerTrack } from '../meeting/meeting.js';
import { transcribePcm } from '../transcribe/transcribe-pcm.js';

export const SHORT_MEETING = fileURLToPath(
  new URL('../../fixtures/meetings/short-meeting.json', import.meta.url),
);
/** What a microphone client sends at a time: 40 ms at 16 kHz. */
export const FRAME_SAMPLES = 640;

/** About 12 s, three speakers. */
export const loadShortMeeting = (): Promise<Meeting> => loadMeeting(SHORT_MEETING);

/** The speaker of the short meeting who talks longest. */
export async function longestTrack(): Promise<SpeakerTrack> {
  const { tracks } = await loadShortMeeting();
  return tracks.reduce((longest, track) => (track.spoken.length > longest.spoken.length ? track : longest));
}

export function* framesOf(pcm: Int16Array, frameSamples = FRAME_SAMPLES): Generator<Int16Array> {
  for (let first = 0; first < pcm.length; first += frameSamples)
    yield pcm.subarray(first, first + frameSamples);
}

/** What the same pipeline gives undisturbed. */
export async function undisturbedWords(gateway: Gateway, pcm: Int16Array): Promise<string[]> {
  const segments = await transcribePcm(pcm, { engine: gateway.engine });
  return normaliseWords(segments.map(({ text }) => text).join(' '));
}

/** What a viewer shows of one speaker, in display order. */
export function shownWords(state: CaptionState, identity: string): string[] {
  const segments = segmentsOf(state).filter(({ speaker }) => speaker.identity === identity);
  return normaliseWords(segments.flatMap(({ words }) => words.map(({ text }) => text)).join(' '));
}
