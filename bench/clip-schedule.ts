import { msToSamples, samplesToMs } from '../protocol/index.js';
import type { SpokenWord } from '../gateway/index.js';
import type { Clip } from './manifest.js';

/** Silence between two clips: longer than the silence that ends a sentence. */
export const PAUSE_BETWEEN_CLIPS_MS = 1000;

export interface LoadedClip extends Clip {
  /** 16 kHz mono. */
  readonly pcm: Int16Array;
}

export interface ScheduledClip {
  readonly clip: LoadedClip;
  readonly startMs: number;
}

/** What one speaker of the bench says. */
export interface SpeakerSchedule {
  readonly pcm: Int16Array;
  readonly clips: readonly ScheduledClip[];
}

/**
 * Clip after clip, beginning with `clips[first]` and starting over after the last, with pauses in between, as long as whole
 * clips fit into `seconds`; at least one clip. Clips that are longer than `seconds` are left out where others are not: everybody would
 * wait for the one who says it. A pause is added at the end.
 */
export function scheduleClips(
  clips: readonly LoadedClip[],
  options: { first: number; seconds: number },
): SpeakerSchedule {
  const chosen: LoadedClip[] = [];
  const inOrder = [...clips.slice(options.first), ...clips.slice(0, options.first)];
  const short = inOrder.filter(({ pcm }) => samplesToMs(pcm.length) <= options.seconds * 1000);
  const usable = short.length > 0 ? short : inOrder;
  let endMs = 0;
  for (let index = 0; ; index++) {
    const clip = usable[index % usable.length];
    if (clip === undefined) break;
    endMs += samplesToMs(clip.pcm.length);
    if (chosen.length > 0 && endMs > options.seconds * 1000) break;
    chosen.push(clip);
    endMs += PAUSE_BETWEEN_CLIPS_MS;
  }
  return scheduleOnce(chosen);
}

/** Neighbours do not say the same thing at the same time. */
const CLIPS_BETWEEN_SPEAKERS = 7;

/** The schedule of the speaker with this number, counted from 0: each begins with another clip. */
export const speakerSchedule = (
  clips: readonly LoadedClip[],
  { speaker, seconds }: { readonly speaker: number; readonly seconds: number },
): SpeakerSchedule =>
  scheduleClips(clips, { first: (speaker * CLIPS_BETWEEN_SPEAKERS) % clips.length, seconds });

/** A schedule for each of so many speakers. */
export const scheduleSpeakers = (
  clips: readonly LoadedClip[],
  { speakers, seconds }: { readonly speakers: number; readonly seconds: number },
): SpeakerSchedule[] =>
  Array.from({ length: speakers }, (_, speaker) => speakerSchedule(clips, { speaker, seconds }));

/** Each clip once, in order, with pauses in between and at the end. */
export function scheduleOnce(clips: readonly LoadedClip[]): SpeakerSchedule {
  const scheduled: ScheduledClip[] = [];
  let atMs = 0;
  for (const clip of clips) {
    scheduled.push({ clip, startMs: atMs });
    atMs += samplesToMs(clip.pcm.length) + PAUSE_BETWEEN_CLIPS_MS;
  }
  const pcm = new Int16Array(msToSamples(atMs));
  for (const { clip, startMs } of scheduled) pcm.set(clip.pcm, msToSamples(startMs));
  return { pcm, clips: scheduled };
}

/** The words of a scheduled clip on the clock of the meeting. */
export function wordsAt({ clip, startMs }: ScheduledClip): SpokenWord[] {
  return clip.words.map((word) => ({
    text: word.text,
    startMs: startMs + word.startMs,
    endMs: startMs + word.endMs,
  }));
}
