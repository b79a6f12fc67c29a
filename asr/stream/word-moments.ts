/**
 * Stamps on the way of a word through recognition: monotonic milliseconds of this process, each at or after the one before.
 * From the recogniser's process, which has a clock of its own, only a duration is carried over.
 */
export interface WordMoments {
  /** Where the recogniser takes the word to end, in samples of the stream. */
  readonly endSample: number;
  /** The last audio of the word was received. */
  readonly arrivedAtMs: number;
  /** The voice gate had let it through, and it was handed to the recogniser. */
  readonly gatedAtMs: number;
  /** So was the audio after it without which the recogniser did not tell the word. */
  readonly fedAtMs: number;
  /** What the recogniser made of that was there. */
  readonly decodedAtMs: number;
  /** How long the decoding call took; part of the time from `fedAtMs` to `decodedAtMs`. */
  readonly decodeMs: number;
  /** The word stood in a segment, formatted. */
  readonly segmentedAtMs: number;
}
