import { toPcm16 } from '../asr/index.js';

/** How many people a babble is made of: enough that no word of any of them can be made out. */
const VOICES = 4;

/**
 * Noise that a voice gate takes for speech and a recogniser finds no sentence in: people who talk backwards, all at once, without
 * pauses. 16 kHz mono, as long as asked for; as loud as one of them.
 */
export function babbleOf(clips: readonly { readonly pcm: Int16Array }[], lengthSamples: number): Int16Array {
  const talk = clips.flatMap(({ pcm }) => [...pcm.toReversed()]);
  if (talk.length === 0) return new Int16Array(lengthSamples);
  return Int16Array.from({ length: lengthSamples }, (_, at) => {
    let sum = 0;
    for (let voice = 0; voice < VOICES; voice++)
      sum += talk[(at + Math.floor((voice * talk.length) / VOICES)) % talk.length] ?? 0;
    return toPcm16(sum / Math.sqrt(VOICES));
  });
}
