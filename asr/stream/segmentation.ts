import { msToSamples } from '../../protocol/index.js';
import type { RecognisedWord } from '../token.js';

/**
 * Silence after which a sentence counts as ended. As the voice gate judges 47 clips of read and free speech, pauses within a
 * sentence last up to 384 ms and those between sentences 512 ms and more.
 */
export const ENDPOINT_SILENCE_SAMPLES = msToSamples(500);
/** Silence in which no word goes on: longer than the closure of a stop consonant. Where audio stalls, a sentence may end here. */
export const BETWEEN_WORDS_SILENCE_SAMPLES = msToSamples(190);
/** Audio without a word, decoded, after which a sentence has ended although the gate still hears something: noise, music. */
export const WORDLESS_SAMPLES = msToSamples(1500);
/** From this length on a segment ends at the next pause, however short a listener would find it. */
export const SOFT_CUT_AFTER_SAMPLES = msToSamples(12_000);
/** What counts as a pause then. */
export const SOFT_CUT_SILENCE_SAMPLES = msToSamples(240);
/** From this length on it is cut between two words, at first only where they lie far apart. */
export const HARD_CUT_FROM_SAMPLES = msToSamples(18_500);
/** At this length it is cut between any two words. */
export const HARD_CUT_AT_SAMPLES = msToSamples(20_000);
/** Time between the tokens of two words that is always good enough for a hard cut. */
const WIDE_PAUSE_SAMPLES = msToSamples(400);
/** Tokens of the newest audio that may be still to come: encoders look ahead. */
const TOKENS_LAG_SAMPLES = msToSamples(200);
/** Audio before a hard cut that the next utterance is given to find its feet; its words there are left out. */
export const HARD_CUT_WARM_UP_SAMPLES = msToSamples(1000);
/** Audio before the onset of speech that belongs to the utterance: first consonants are quiet. */
export const PRE_ROLL_SAMPLES = msToSamples(300);

/** How much silence ends a segment of this length. Infinite where `hardCutSample` decides, which knows words. */
export function endpointSilenceSamples(segmentSamples: number): number {
  if (segmentSamples < SOFT_CUT_AFTER_SAMPLES) return ENDPOINT_SILENCE_SAMPLES;
  return segmentSamples < HARD_CUT_FROM_SAMPLES ? SOFT_CUT_SILENCE_SAMPLES : Infinity;
}

/**
 * Where a sentence has ended as far as the recogniser can tell: in the middle of what has no words. Undefined while it may go on,
 * and in segments so long that `hardCutSample` decides.
 */
export function wordlessCutSample(
  candidate: Omit<CutCandidate, 'settledWords'>,
): { endSample: number; cutSample: number } | undefined {
  const { words, segmentStartSample, decodedThroughSample } = candidate;
  const last = words.at(-1);
  if (last === undefined || decodedThroughSample - segmentStartSample >= HARD_CUT_FROM_SAMPLES)
    return undefined;
  const pause = pauseBetween(last.lastTokenSample, decodedThroughSample);
  return pause.lengthSamples >= WORDLESS_SAMPLES
    ? { endSample: last.endSample, cutSample: pause.middleSample }
    : undefined;
}

export interface CutCandidate {
  readonly words: readonly RecognisedWord[];
  readonly segmentStartSample: number;
  readonly decodedThroughSample: number;
  /** So many words were told as stable: they stay in the segment. */
  readonly settledWords: number;
}

/**
 * Where to cut a segment that has become too long: in the middle of the pause before or after its last word, so that
 * hardly a word that stands on a screen already moves to the next segment. Undefined while no cut is due.
 */
export function hardCutSample(candidate: CutCandidate): number | undefined {
  const { words, segmentStartSample, decodedThroughSample, settledWords } = candidate;
  const dueSamples = HARD_CUT_AT_SAMPLES - (decodedThroughSample - segmentStartSample);
  const range = HARD_CUT_AT_SAMPLES - HARD_CUT_FROM_SAMPLES;
  if (dueSamples > range) return undefined;
  const neededSamples = Math.max(0, (WIDE_PAUSE_SAMPLES * dueSamples) / range);
  const beforeLast = words.at(-2);
  const last = words.at(-1);
  if (last === undefined) return undefined;
  const pauses = [pauseBetween(last.lastTokenSample, decodedThroughSample - TOKENS_LAG_SAMPLES)];
  if (beforeLast !== undefined && words.length > settledWords) {
    pauses.push(pauseBetween(beforeLast.lastTokenSample, last.firstTokenSample));
  }
  const widest = pauses.reduce((best, pause) => (pause.lengthSamples > best.lengthSamples ? pause : best));
  return widest.lengthSamples > 0 && widest.lengthSamples >= neededSamples ? widest.middleSample : undefined;
}

const pauseBetween = (
  fromSample: number,
  toSample: number,
): { lengthSamples: number; middleSample: number } => ({
  lengthSamples: toSample - fromSample,
  middleSample: Math.round((fromSample + toSample) / 2),
});
