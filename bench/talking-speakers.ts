/**
 * How many people talk at the same time, on average: what figures per person divide by. Whoever is connected also pauses, finishes early
 * and waits for the longest clip of somebody else; only speech costs recognition.
 */
import { samplesToMs } from '../protocol/index.js';
import { type LoadedClip, type SpeakerSchedule, speakerSchedule } from './clip-schedule.js';

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** Mean over `within` of how many of the intervals hold a moment. 0 where `within` is empty. */
export function meanConcurrency(intervals: readonly Interval[], within: Interval): number {
  const lengthMs = within.endMs - within.startMs;
  if (lengthMs <= 0) return 0;
  const insideMs = intervals.reduce(
    (sum, { startMs, endMs }) =>
      sum + Math.max(0, Math.min(endMs, within.endMs) - Math.max(startMs, within.startMs)),
    0,
  );
  return insideMs / lengthMs;
}

/**
 * From the onset to the end of the speech of each clip, on the clock of the meeting. A clip whose manifest does not say when its speech
 * begins and ends counts as a whole.
 */
export const speechIntervals = ({ clips }: SpeakerSchedule): Interval[] =>
  clips.map(({ clip, startMs }) => ({
    startMs: startMs + (clip.speech?.startMs ?? 0),
    endMs: startMs + (clip.speech?.endMs ?? samplesToMs(clip.pcm.length)),
  }));

/** People inside a speech interval, on average from `leadMs` before the first sample until the longest of the schedules has ended. */
export function meanTalking(schedules: readonly SpeakerSchedule[], leadMs = 0): number {
  const endMs = Math.max(0, ...schedules.map(({ pcm }) => samplesToMs(pcm.length)));
  return meanConcurrency(schedules.flatMap(speechIntervals), { startMs: -leadMs, endMs });
}

/** With clips that are hardly speech, the search for enough speakers ends here. */
const MOST_SPEAKERS_PER_TALKER = 10;

/** As few speakers as are needed for `talking` of them to talk on average. */
export function scheduleTalking(
  clips: readonly LoadedClip[],
  options: { readonly talking: number; readonly seconds: number; readonly leadMs?: number },
): SpeakerSchedule[] {
  const schedules: SpeakerSchedule[] = [];
  while (schedules.length < options.talking * MOST_SPEAKERS_PER_TALKER) {
    schedules.push(speakerSchedule(clips, { speaker: schedules.length, seconds: options.seconds }));
    if (meanTalking(schedules, options.leadMs) >= options.talking) break;
  }
  return schedules;
}

/** People who talk, for each core of CPU that is used: speech seconds per CPU second. */
export const talkingPerCore = (talkingSpeakers: number | null, cpuCores: number | null): number | null =>
  talkingSpeakers === null || cpuCores === null || cpuCores <= 0 ? null : talkingSpeakers / cpuCores;
