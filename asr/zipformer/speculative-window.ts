import { MEL_BINS } from './mel-filter-bank.js';

/** Frames whose mean stands for those that have not been heard yet. */
const MEAN_OF_FRAMES = 4;

/**
 * Windows of features that are not full yet, filled up with the mean of their last frames. The encoder looks ahead little, so
 * what stands there hardly matters (the mirror image and the minimum do as well).
 */
export class SpeculativeWindow {
  readonly #windowFrames: number;
  readonly #rows: Float32Array[] = [];

  constructor(windowFrames: number) {
    this.#windowFrames = windowFrames;
  }

  /** A copy of the first `frames` frames of `features`, filled up. Holds until `row` is asked for again. */
  padded(row: number, features: Float32Array, frames: number): Float32Array {
    const padded = (this.#rows[row] ??= new Float32Array(this.#windowFrames * MEL_BINS));
    padded.set(features.subarray(0, frames * MEL_BINS));
    const averaged = Math.min(MEAN_OF_FRAMES, frames);
    for (let bin = 0; bin < MEL_BINS; bin++) {
      let sum = 0;
      for (let frame = frames - averaged; frame < frames; frame++)
        sum += features[frame * MEL_BINS + bin] ?? 0;
      const mean = averaged === 0 ? 0 : sum / averaged;
      for (let frame = frames; frame < this.#windowFrames; frame++) padded[frame * MEL_BINS + bin] = mean;
    }
    return padded;
  }
}
