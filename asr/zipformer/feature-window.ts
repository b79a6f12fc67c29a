/**
 * One stream's audio as the features that the encoder sees: a window of `windowFrames` frames that moves on by the chunk.
 * Frame f is centred on sample 160·f + 80, as with kaldi's `snip_edges=false`; before the first sample the audio is its mirror
 * image. Features are computed when they are asked for, so that audio which has to catch up costs nothing before its turn.
 */
import { FRAME_SAMPLES, FRAME_SHIFT_SAMPLES, MEL_BINS, type MelFilterBank } from './mel-filter-bank.js';

/** Samples of the first frame that lie before the audio's beginning. */
const LEFT_EDGE_SAMPLES = FRAME_SAMPLES / 2 - FRAME_SHIFT_SAMPLES / 2;
const INITIAL_CAPACITY_SAMPLES = 8192;
/** Share of a buffer: with more in it what is left would be moved to the front too often. */
const MOST_FILLED = 3 / 4;

/** A `FeatureWindow` as plain data. */
export interface SavedFeatureWindow {
  /** Rows of 80. */
  readonly frames: Float32Array;
  /** Audio from the first sample of the next frame on. */
  readonly samples: Float32Array;
  /** Whether the mirror image before the audio's beginning is among them. */
  readonly hasEdge: boolean;
}

export class FeatureWindow {
  /** `windowFrames` rows of 80; those from `frameCount` on mean nothing. */
  readonly features: Float32Array;
  readonly #bank: MelFilterBank;
  readonly #windowFrames: number;
  #frameCount = 0;
  /** From the first sample of the next frame on, at `#head`; the mirrored edge included. */
  #samples = new Float32Array(INITIAL_CAPACITY_SAMPLES);
  #head = 0;
  #tail = LEFT_EDGE_SAMPLES;
  #hasEdge = false;

  constructor(bank: MelFilterBank, windowFrames: number) {
    this.#bank = bank;
    this.#windowFrames = windowFrames;
    this.features = new Float32Array(windowFrames * MEL_BINS);
  }

  /** As a new one. */
  clear(): void {
    // What grew for audio that had to catch up is not kept.
    if (this.#samples.length > INITIAL_CAPACITY_SAMPLES)
      this.#samples = new Float32Array(INITIAL_CAPACITY_SAMPLES);
    this.#frameCount = 0;
    this.#head = 0;
    this.#tail = LEFT_EDGE_SAMPLES;
    this.#hasEdge = false;
  }

  /** A new window goes on where another one was saved. */
  restore(saved: SavedFeatureWindow): void {
    const frameCount = saved.frames.length / MEL_BINS;
    if (!Number.isInteger(frameCount) || frameCount > this.#windowFrames)
      throw new Error(
        `a saved window of ${frameCount} frames does not fit into one of ${this.#windowFrames}`,
      );
    this.features.set(saved.frames);
    this.#frameCount = frameCount;
    this.#tail = 0;
    this.#reserve(saved.samples.length);
    this.#samples.set(saved.samples);
    this.#tail = saved.samples.length;
    this.#hasEdge = saved.hasEdge;
  }

  /** Copies of what it holds. */
  save(): SavedFeatureWindow {
    return {
      frames: this.features.slice(0, this.#frameCount * MEL_BINS),
      samples: this.#samples.slice(this.#head, this.#tail),
      hasEdge: this.#hasEdge,
    };
  }

  /** Frames computed so far. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /** Frames that the audio so far is enough for, at most the whole window. */
  get availableFrames(): number {
    if (!this.#hasEdge) return 0;
    const samples = this.#tail - this.#head;
    const further =
      samples < FRAME_SAMPLES ? 0 : Math.floor((samples - FRAME_SAMPLES) / FRAME_SHIFT_SAMPLES) + 1;
    return Math.min(this.#windowFrames, this.#frameCount + further);
  }

  get isFull(): boolean {
    return this.availableFrames === this.#windowFrames;
  }

  /** Any number of samples. Throws when one of them is no finite number. */
  append(samples: Float32Array): void {
    this.#reserve(samples.length);
    let sum = 0;
    for (let i = 0; i < samples.length; i++) {
      const sample = samples[i] ?? 0;
      sum += sample;
      this.#samples[this.#tail + i] = sample;
    }
    if (!Number.isFinite(sum)) throw new Error('the audio has samples that are no finite numbers');
    this.#appended(samples.length);
  }

  appendSilence(samples: number): void {
    this.#reserve(samples);
    this.#samples.fill(0, this.#tail, this.#tail + samples);
    this.#appended(samples);
  }

  /** Computes the frames that there is audio for, up to the whole window. */
  fill(): void {
    const available = this.availableFrames;
    while (this.#frameCount < available) {
      this.#bank.compute(this.#samples, this.#head, {
        target: this.features,
        targetOffset: this.#frameCount * MEL_BINS,
      });
      this.#frameCount += 1;
      this.#head += FRAME_SHIFT_SAMPLES;
    }
  }

  /** Moves the window on by `frames`, at most as many as were computed. */
  advance(frames: number): void {
    this.features.copyWithin(0, frames * MEL_BINS, this.#frameCount * MEL_BINS);
    this.#frameCount -= frames;
  }

  #appended(samples: number): void {
    this.#tail += samples;
    if (!this.#hasEdge && this.#tail - this.#head >= 2 * LEFT_EDGE_SAMPLES) this.#mirrorEdge();
  }

  #mirrorEdge(): void {
    for (let i = 0; i < LEFT_EDGE_SAMPLES; i++) {
      this.#samples[i] = this.#samples[2 * LEFT_EDGE_SAMPLES - 1 - i] ?? 0;
    }
    this.#hasEdge = true;
  }

  /** Makes room behind the tail: by moving what is left to the front, or into a larger buffer when that fills most of it. */
  #reserve(samples: number): void {
    if (this.#tail + samples <= this.#samples.length) return;
    const held = this.#tail - this.#head;
    let capacity = this.#samples.length;
    while (held + samples > capacity * MOST_FILLED) capacity *= 2;
    const target = capacity === this.#samples.length ? this.#samples : new Float32Array(capacity);
    target.set(this.#samples.subarray(this.#head, this.#tail));
    this.#samples = target;
    this.#head = 0;
    this.#tail = held;
  }
}
