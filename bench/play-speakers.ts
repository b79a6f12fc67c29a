/** People who talk to a gateway at the pace of speech, and viewers who watch. */
import { participantIdentity, roomName, type RoomName } from '../protocol/index.js';
import type { TrackingResult } from '../asr/index.js';
import { CaptionWatch, connectCaptions, connectIngest, playPaced } from '../gateway/index.js';
import type { SpeakerSchedule } from './clip-schedule.js';
import { scoreClips, type ScoredClip } from './clip-score.js';
import type { UsageSampler } from './usage-sampler.js';

/** Meetings of this size, with one viewer each. */
const SPEAKERS_PER_ROOM = 10;
/** From the last connection to the first word. */
const LEAD_TIME_MS = 300;

/** What a viewer saw of one speaker. */
export interface SpeakerRun {
  readonly clips: readonly ScoredClip[];
  readonly tracking: TrackingResult;
}

export interface PlayOptions {
  /** Of the gateway, `http://…`. */
  readonly url: string;
  /** Beginning of the rooms' names. */
  readonly rooms: string;
  readonly schedules: readonly SpeakerSchedule[];
  /** Runs from the first word to the last final. */
  readonly usage?: UsageSampler | undefined;
  /** Is told why a speaker's connection failed. */
  readonly failed: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** One run per schedule, in order; resolves when all finals are there. Throws what connecting throws, and when aborted. */
export async function playSpeakers(options: PlayOptions): Promise<SpeakerRun[]> {
  const { url, schedules, usage, signal } = options;
  const watch = new CaptionWatch();
  const roomOf = (speaker: number): RoomName =>
    roomName(`${options.rooms}-${Math.floor(speaker / SPEAKERS_PER_ROOM) + 1}`);
  const viewers = [...new Set(schedules.map((_, index) => roomOf(index)))].map((room) =>
    connectCaptions({
      url,
      room,
      changed: (state, message) => watch.observe(state, message, performance.now()),
    }),
  );
  const clients = schedules.map((_, index) =>
    connectIngest({
      url,
      room: roomOf(index),
      speaker: { identity: participantIdentity(identityOf(index)), name: '' },
    }),
  );
  try {
    await Promise.all([...viewers, ...clients].map(({ ready }) => ready));
    usage?.start();
    const startAtMs = performance.now() + LEAD_TIME_MS;
    const tracks = schedules.map(({ pcm }, index) => ({
      pcm,
      send: (frame: Int16Array) => clients[index]?.send(frame),
    }));
    await playPaced(tracks, { startAtMs, signal });
    usage?.speechEnded();
    signal.throwIfAborted();
    await Promise.all(
      clients.map((client) => client.end().catch((error: unknown) => options.failed(String(error)))),
    );
    await Promise.all(viewers.map((viewer) => viewer.settled()));
    usage?.stop();
    return schedules.map((schedule, index) => {
      const tracking = watch.resultOf(identityOf(index));
      return { tracking, clips: scoreClips(schedule, { tracking, startAtMs }) };
    });
  } finally {
    usage?.stop();
    for (const connection of [...viewers, ...clients]) connection.close();
  }
}

const identityOf = (index: number): string => `speaker-${index + 1}`;
