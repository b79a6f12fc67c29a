/** So many people talk at once, and what that cost: the same for every bench and every system. */
import { type LoadedClip, scheduleSpeakers } from './clip-schedule.js';
import { playSpeakers, type PlayOptions, type SpeakerRun } from './play-speakers.js';
import type { MeasuredVenue } from './stage.js';
import { memoryPerFurtherSpeakerMb, UsageSampler } from './usage-sampler.js';

/** Where one person talks, so many join for a moment afterwards, to tell what a further one costs. */
const FURTHER_SPEAKERS = 4;
const FURTHER_SECONDS = 5;

/** Null where nothing of the system can be measured. */
export interface MeasuredUsage {
  /** CPU seconds of the system until the last final, per second while people talk. */
  readonly cpuCores: number | null;
  /** Memory of the system at its highest. */
  readonly rssMb: number | null;
  /** What each speaker but the first added to that. */
  readonly rssPerStreamMb: number | null;
}

export interface MeasuredRun extends MeasuredUsage {
  readonly speakers: readonly SpeakerRun[];
}

export interface MeasuredRunOptions extends Pick<PlayOptions, 'wordTimes' | 'failed' | 'signal'> {
  readonly stage: MeasuredVenue;
  readonly clips: readonly LoadedClip[];
  readonly speakers: number;
  readonly seconds: number;
  /** One person talks for so long before anything is measured. */
  readonly warmUpSeconds: number;
  /** Beginning of the rooms' names. */
  readonly rooms: string;
}

/** Throws what `playSpeakers` throws. */
export async function runMeasured(options: MeasuredRunOptions): Promise<MeasuredRun> {
  const { clips, speakers, seconds, stage, wordTimes, failed, signal, rooms } = options;
  const { venue, gateway } = stage;
  const sampler = (): UsageSampler | undefined =>
    gateway === undefined ? undefined : new UsageSampler(gateway);
  const usage = { one: sampler(), all: sampler(), further: sampler() };
  const common = { venue, wordTimes, failed, signal };
  await playSpeakers({
    ...common,
    rooms: `${rooms}-warm-up`,
    schedules: scheduleSpeakers(clips, { speakers: 1, seconds: options.warmUpSeconds }),
    usage: usage.one,
  });
  const runs = await playSpeakers({
    ...common,
    rooms,
    schedules: scheduleSpeakers(clips, { speakers, seconds }),
    usage: usage.all,
  });
  const measured = {
    speakers: runs,
    cpuCores: usage.all?.cpuCores ?? null,
    rssMb: usage.all?.peakMb ?? null,
  };
  if (speakers > 1 || gateway === undefined) {
    const rssPerStreamMb = memoryPerFurtherSpeakerMb({
      oneSpeakerMb: usage.one?.peakMb ?? null,
      allSpeakersMb: measured.rssMb,
      speakers,
    });
    return { ...measured, rssPerStreamMb };
  }
  await playSpeakers({
    ...common,
    rooms: `${rooms}-further`,
    schedules: scheduleSpeakers(clips, { speakers: 1 + FURTHER_SPEAKERS, seconds: FURTHER_SECONDS }),
    usage: usage.further,
    // What they are shown is no part of the run.
    failed: () => undefined,
  });
  const rssPerStreamMb = memoryPerFurtherSpeakerMb({
    oneSpeakerMb: measured.rssMb,
    allSpeakersMb: usage.further?.peakMb ?? null,
    speakers: 1 + FURTHER_SPEAKERS,
  });
  return { ...measured, rssPerStreamMb };
}
