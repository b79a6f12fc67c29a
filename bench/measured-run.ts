/** So many people talk at once, and what that cost: the same for every bench and every system. */
import { errorMessage } from '../protocol/index.js';
import { type LoadedClip, scheduleSpeakers } from './clip-schedule.js';
import { ForeignLoad } from './foreign-load.js';
import { LEAD_TIME_MS, playSpeakers, type PlayOptions, type SpeakerRun } from './play-speakers.js';
import type { MeasuredVenue } from './stage.js';
import { meanTalking } from './talking-speakers.js';
import { memoryPerFurtherSpeakerMb, UsageSampler } from './usage-sampler.js';

/** From so many on what each added to the first shows over what a process that has just begun grows by. */
const MANY_SPEAKERS = 10;
/** Where there are fewer, so many more talk for a moment afterwards. */
const FURTHER_SPEAKERS = 4;
const FURTHER_SECONDS = 5;

/** Null where nothing of the system can be measured. */
export interface MeasuredUsage {
  /** People inside a speech interval on average, over the time that `cpuCores` divides by. */
  readonly talkingSpeakers: number | null;
  /** CPU seconds of the system until the last final, per second while people talk. */
  readonly cpuCores: number | null;
  /** Memory of the system at its highest. */
  readonly rssMb: number | null;
  /** What a further connected speaker adds to that: also one who pauses keeps it. */
  readonly rssPerStreamMb: number | null;
  /** What other programs took of the processors meanwhile, in cores: with much of it the other figures are too high. */
  readonly othersCores: number | null;
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
  const schedules = scheduleSpeakers(clips, { speakers, seconds });
  const others = new ForeignLoad();
  const runs = await playSpeakers({
    ...common,
    rooms,
    schedules,
    usage: usage.all,
  });
  // A gateway that ran already would be one of the others.
  const othersCores = gateway === undefined ? null : others.cores();
  const cpuCores = usage.all?.cpuCores ?? null;
  const rssMb = usage.all?.peakMb ?? null;
  const many = {
    speakers: runs,
    talkingSpeakers: meanTalking(schedules, LEAD_TIME_MS),
    cpuCores,
    rssMb,
    othersCores,
    rssPerStreamMb: memoryPerFurtherSpeakerMb({
      fewerMb: usage.one?.peakMb ?? null,
      moreMb: rssMb,
      further: Math.max(1, speakers - 1),
    }),
  };
  if (speakers >= MANY_SPEAKERS || gateway === undefined) return many;
  try {
    await playSpeakers({
      ...common,
      rooms: `${rooms}-further`,
      schedules: scheduleSpeakers(clips, { speakers: speakers + FURTHER_SPEAKERS, seconds: FURTHER_SECONDS }),
      usage: usage.further,
      // What these are shown is no part of the run.
      failed: () => undefined,
    });
  } catch (error) {
    signal.throwIfAborted();
    failed(`memory of further speakers was not measured: ${errorMessage(error)}`);
  }
  const moreMb = usage.further?.peakMb ?? null;
  return {
    ...many,
    rssPerStreamMb: memoryPerFurtherSpeakerMb({ fewerMb: rssMb, moreMb, further: FURTHER_SPEAKERS }),
  };
}
