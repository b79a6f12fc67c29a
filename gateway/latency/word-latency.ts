/** Where the time went between a word and its caption. */
import type { WordMoments } from '../../asr/index.js';

/**
 * In the order in which they follow each other, without overlap: their sum is the whole latency.
 * - `arrival`: from the end of the word to its audio in this process (framing, network jitter).
 * - `gate`: until the voice gate had let it through to the recogniser.
 * - `lookahead`: until the audio had come that the recogniser wants to hear after the word (chunks, right context, end of speech).
 * - `queue`: waiting for a turn in the recogniser's process, messages between processes, restarts.
 * - `decode`: the decoding call itself; a duration carried over from the recogniser's process.
 * - `segment`: formatting.
 * - `publish`: until the delta was handed to every viewer's connection.
 * - `delivery`: until a viewer that reports back (a probe) had it in its reducer, and we its report; 0 without such a viewer.
 */
export const STAGES = [
  'arrival',
  'gate',
  'lookahead',
  'queue',
  'decode',
  'segment',
  'publish',
  'delivery',
] as const;
export type Stage = (typeof STAGES)[number];

export interface WordLatency {
  /** When the word had been spoken, in monotonic milliseconds of this process. */
  readonly spokenAtMs: number;
  readonly stagesMs: Readonly<Record<Stage, number>>;
  /** The sum of the stages. */
  readonly totalMs: number;
  readonly isAcknowledged: boolean;
}

export interface ShownWordMoments {
  /** By the sample clock, which knows no delay below the smallest so far. */
  readonly spokenAtMs: number;
  readonly moments: WordMoments;
  readonly publishedAtMs: number;
  readonly acknowledgedAtMs?: number | undefined;
}

export function wordLatency(shown: ShownWordMoments): WordLatency {
  const { moments, publishedAtMs, acknowledgedAtMs } = shown;
  // Where a word ends is the recogniser's guess, which may lie after its audio has come.
  const spokenAtMs = Math.min(shown.spokenAtMs, moments.arrivedAtMs);
  const stagesMs = {
    arrival: moments.arrivedAtMs - spokenAtMs,
    gate: moments.gatedAtMs - moments.arrivedAtMs,
    lookahead: moments.fedAtMs - moments.gatedAtMs,
    queue: moments.decodedAtMs - moments.fedAtMs - moments.decodeMs,
    decode: moments.decodeMs,
    segment: moments.segmentedAtMs - moments.decodedAtMs,
    publish: publishedAtMs - moments.segmentedAtMs,
    delivery: acknowledgedAtMs === undefined ? 0 : acknowledgedAtMs - publishedAtMs,
  };
  const shownAtMs = acknowledgedAtMs ?? publishedAtMs;
  return {
    spokenAtMs,
    stagesMs,
    totalMs: shownAtMs - spokenAtMs,
    isAcknowledged: acknowledgedAtMs !== undefined,
  };
}
