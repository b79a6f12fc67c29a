/** When a gateway has withstood an attack. */
import type { AttackOutcome } from './attack.js';
import type { Lap, LapFigures } from './honest-people.js';

/** Honest captions come at most so many times as late while an attack lasts. */
const MOST_TIMES_AS_LATE = 2;
/** Later by less than this is what a busy machine does without an attack. */
const LATENCY_NOISE_MS = 300;
/** Memory comes back to so much more than before. */
const MOST_GROWTH = 0.2;
/** A process that has just begun grows by this without an attack. */
const MEMORY_NOISE_MB = 25;
/** Words that a recogniser hears differently the next time. */
const WORDS_NOISE = 2;

export interface AttackObservation {
  readonly outcome: AttackOutcome;
  readonly laps: Readonly<Record<Lap, LapFigures>>;
  /** What happened to the honest people. */
  readonly troubles: readonly string[];
  /** How the gateway ended; null while it lives. */
  readonly end: string | null;
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
  readonly logLines: number;
  /** The longest time without an answer of `/healthz`. */
  readonly longestSilenceMs: number;
}

export const memoryLimitMb = (beforeMb: number): number => beforeMb * (1 + MOST_GROWTH) + MEMORY_NOISE_MB;

/** Why it has not; empty when it has. */
export function failuresOf(
  seen: AttackObservation,
  limits: { readonly mostLogLines?: number | undefined } = {},
): string[] {
  const { laps, outcome, beforeMb, afterMb, logLines } = seen;
  if (seen.end !== null) return [`the gateway ended: ${seen.end}`, ...outcome.breaches];
  const before = laps.before.p95 ?? 0;
  const limitMs = Math.max(before * MOST_TIMES_AS_LATE, before + LATENCY_NOISE_MS);
  const lostWords = laps.during.lostWords + laps.after.lostWords;
  const { mostLogLines = Infinity } = limits;
  return [
    ...outcome.breaches,
    ...seen.troubles,
    ...(['during', 'after'] as const).flatMap((lap) => {
      const { p95 } = laps[lap];
      if (p95 === null) return laps.before.words === 0 ? [] : [`no honest words ${lap} it`];
      return p95 > limitMs ? [`honest p95 ${lap} it ${p95} ms, before ${before} ms`] : [];
    }),
    ...(lostWords > WORDS_NOISE ? [`${lostWords} honest words lost`] : []),
    ...(afterMb > memoryLimitMb(beforeMb)
      ? [`memory afterwards ${Math.round(afterMb)} MB, before ${Math.round(beforeMb)} MB`]
      : []),
    ...(logLines > mostLogLines ? [`${logLines} lines logged`] : []),
  ];
}
