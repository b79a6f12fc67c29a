/** People who talk to a gateway at the pace of speech, and viewers who watch. */
import type { TrackingResult } from '../asr/index.js';
import { CaptionWatch, playPaced } from '../gateway/index.js';
import type { SpeakerSchedule } from './clip-schedule.js';
import { scoreClips, type ScoredClip } from './clip-score.js';
import { retimeWords } from './retime-words.js';
import type { UsageSampler } from './usage-sampler.js';
import type { Venue, Watch } from './venue.js';

/** From the last connection to the first word; usage is measured from its beginning. */
export const LEAD_TIME_MS = 300;

/** What a viewer saw of one speaker. */
export interface SpeakerRun {
  readonly clips: readonly ScoredClip[];
  readonly tracking: TrackingResult;
  /** When the meeting began, on the monotonic clock of the observations. */
  readonly startAtMs: number;
  /** As in `VenueSession`; `failed` is told of it too. */
  readonly sendFault: string | null;
}

export interface PlayOptions {
  readonly venue: Venue;
  /** Beginning of the rooms' names. */
  readonly rooms: string;
  readonly schedules: readonly SpeakerSchedule[];
  /** Runs from the first word to the last final. */
  readonly usage?: UsageSampler | undefined;
  /**
   * Where the words of a speaker lie in time: as captions say, or as the alignment with what was said says, for roads whose captions
   * do not say. Default `captions`.
   */
  readonly wordTimes?: 'captions' | 'alignment' | undefined;
  /** Looks on as the viewers do. */
  readonly observe?: Watch | undefined;
  /** Is told why a speaker's connection failed. */
  readonly failed: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** One run per schedule, in order; resolves when all finals are there. Throws what connecting throws, and when aborted. */
export async function playSpeakers(options: PlayOptions): Promise<SpeakerRun[]> {
  const { venue, schedules, usage, signal } = options;
  const watch = new CaptionWatch();
  const session = await venue.open({
    rooms: options.rooms,
    speakers: schedules.map((_, index) => identityOf(index)),
    watch: (state, message) => {
      watch.observe(state, message, performance.now());
      options.observe?.(state, message);
    },
    failed: options.failed,
  });
  try {
    usage?.start();
    const startAtMs = performance.now() + LEAD_TIME_MS;
    const tracks = schedules.map(({ pcm }, index) => ({
      pcm,
      send: (frame: Int16Array) => session.send(index, frame),
    }));
    await playPaced(tracks, { startAtMs, signal });
    usage?.speechEnded();
    signal.throwIfAborted();
    await session.end();
    usage?.stop();
    return schedules.map((schedule, index) => {
      const shown = watch.resultOf(identityOf(index));
      const tracking =
        options.wordTimes === 'alignment' ? retimeWords(shown, { schedule, startAtMs }) : shown;
      const sendFault = session.sendFault?.(index) ?? null;
      if (sendFault !== null) options.failed(`${identityOf(index)} (of the bench) ${sendFault}`);
      return { tracking, startAtMs, clips: scoreClips(schedule, { tracking, startAtMs }), sendFault };
    });
  } finally {
    usage?.stop();
    await session.close();
  }
}

/** Of the speaker with this number, counted from 0. */
export const identityOf = (index: number): string => `speaker-${index + 1}`;
