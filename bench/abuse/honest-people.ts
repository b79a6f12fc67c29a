/** One person who talks and one who reads along, lap after lap of the same speech: before an attack, during it, and after it. */
import { CaptionWatch, connectCaptions, connectIngest, playPaced } from '../../gateway/index.js';
import { participantIdentity, roomName, samplesToMs } from '../../protocol/index.js';
import { type LoadedClip, scheduleClips, scheduleOnce } from '../clip-schedule.js';
import { scoreClips } from '../clip-score.js';
import { roundedSummary } from '../latency-bench.js';
import { signToken } from './access-token.js';

export const LAPS = ['before', 'during', 'after'] as const;
export type Lap = (typeof LAPS)[number];

export interface LapFigures {
  readonly p50: number | null;
  readonly p95: number | null;
  /** Recognised at their place. */
  readonly words: number;
  /** Words that were recognised in the first lap and not in this one. */
  readonly lostWords: number;
}

const ROOM = roomName('honest');
const SPEAKER = participantIdentity('ana');
const LEAD_TIME_MS = 300;
/** From the last word to the last final, also after a flood. */
const FINALS_DEADLINE_MS = 20_000;

export interface HonestOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly clips: readonly LoadedClip[];
  readonly lapSeconds: number;
  /** When a lap begins. */
  readonly lapBegan: (lap: Lap) => void;
  readonly signal: AbortSignal;
}

/** Resolves when all three laps are over. Throws what connecting throws. */
export async function talkThroughLaps(
  options: HonestOptions,
): Promise<{ readonly laps: Readonly<Record<Lap, LapFigures>>; readonly troubles: readonly string[] }> {
  const { url, signal } = options;
  const token = (identity: string): Promise<string> =>
    signToken(options, { room: ROOM, identity, video: { canPublish: true, canSubscribe: true } });
  const lapClips = scheduleClips(options.clips, { first: 0, seconds: options.lapSeconds }).clips.map(
    ({ clip }) => clip,
  );
  const schedule = scheduleOnce(LAPS.flatMap(() => lapClips));
  const lapMs = samplesToMs(schedule.pcm.length) / LAPS.length;
  const troubles: string[] = [];
  const watch = new CaptionWatch();
  const viewer = connectCaptions({
    url,
    room: ROOM,
    token: await token('viewer'),
    changed: (state, message) => watch.observe(state, message, performance.now()),
    disconnected: ({ code, reason }) => troubles.push(`the viewer was cut off: ${code} ${reason}`),
  });
  const speaker = connectIngest({
    url,
    room: ROOM,
    token: await token(SPEAKER),
    speaker: { identity: SPEAKER, name: 'Ana' },
  });
  const timers: NodeJS.Timeout[] = [];
  try {
    await Promise.all([viewer.ready, speaker.ready]);
    const startAtMs = performance.now() + LEAD_TIME_MS;
    for (const [index, lap] of LAPS.entries())
      timers.push(setTimeout(() => options.lapBegan(lap), LEAD_TIME_MS + index * lapMs));
    await playPaced([{ pcm: schedule.pcm, send: (frame) => speaker.send(frame) }], { startAtMs, signal });
    signal.throwIfAborted();
    const ended = speaker.end().then(
      () => viewer.settled(),
      (error: unknown) => void troubles.push(`the speaker was refused: ${String(error)}`),
    );
    await beforeDeadline(ended, () => troubles.push('the last captions did not come'));
    const scored = scoreClips(schedule, { tracking: watch.resultOf(SPEAKER), startAtMs });
    const figuresOf = (lap: number): LapFigures => {
      const of = (which: number): number[][] =>
        scored
          .slice(which * lapClips.length, (which + 1) * lapClips.length)
          .map(({ wordLatenciesMs }) => [...wordLatenciesMs]);
      const inLap = of(lap);
      const { p50, p95, count } = roundedSummary(inLap.flat());
      const lostWords = of(0).reduce(
        (sum, words, clip) => sum + Math.max(0, words.length - (inLap[clip]?.length ?? 0)),
        0,
      );
      return { p50, p95, words: count, lostWords };
    };
    return {
      laps: { before: figuresOf(0), during: figuresOf(1), after: figuresOf(2) },
      troubles: [...troubles],
    };
  } finally {
    timers.forEach(clearTimeout);
    viewer.close();
    speaker.close();
  }
}

async function beforeDeadline(work: Promise<void>, missed: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      missed();
      resolve();
    }, FINALS_DEADLINE_MS);
  });
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
