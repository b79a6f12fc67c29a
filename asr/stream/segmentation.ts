import { msToSamples } from '../../protocol/index.js';
import type { RecognisedWord } from '../token.js';

/** Silence after which a sentence counts as ended. */
export const ENDPOINT_SILENCE_SAMPLES = msToSamples(600);
/** From this length on a segment ends at the next pause, however short a listener would find it. */
export const SOFT_CUT_AFTER_SAMPLES = msToSamples(12_000);
/** What counts as a pause then. */
export const SOFT_CUT_SILENCE_SAMPLES = msToSamples(240);
/** At this length a segment is cut between two words even without a pause. */
export const HARD_CUT_AFTER_SAMPLES = msToSamples(20_000);
/** Audio before a hard cut that the next utterance is given to find its feet; its words there are left out. */
export const HARD_CUT_WARM_UP_SAMPLES = msToSamples(1000);
/** Audio before the onset of speech that belongs to the utterance: first consonants are quiet. */
export const PRE_ROLL_SAMPLES = msToSamples(300);

/** How much silence ends a segment of this length. */
export function endpointSilenceSamples(segmentSamples: number): number {
  return segmentSamples >= SOFT_CUT_AFTER_SAMPLES ? SOFT_CUT_SILENCE_SAMPLES : ENDPOINT_SILENCE_SAMPLES;
}

/**
 * Where to cut a segment that has become too long: in the middle of the widest pause between two words that lies between
 * the lengths for a soft and a hard cut, the later of equal ones. Undefined when there are no two words there.
 */
export function hardCutSample(words: readonly RecognisedWord[], segmentStartSample: number): number | undefined {
  let best: { pauseSamples: number; sample: number } | undefined;
  for (let i = 1; i < words.length; i++) {
    const before = words[i - 1];
    const after = words[i];
    if (before === undefined || after === undefined || !after.isCommitted) break;
    const pauseSamples = after.firstTokenSample - before.lastTokenSample;
    const sample = Math.round((after.firstTokenSample + before.lastTokenSample) / 2);
    const lengthSamples = sample - segmentStartSample;
    if (lengthSamples < SOFT_CUT_AFTER_SAMPLES || lengthSamples > HARD_CUT_AFTER_SAMPLES) continue;
    if (best === undefined || pauseSamples >= best.pauseSamples) best = { pauseSamples, sample };
  }
  return best?.sample;
}
