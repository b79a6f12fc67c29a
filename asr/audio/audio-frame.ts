import type { MonotonicMs, SampleIndex } from '../../protocol/index.js';

/** A piece of one speaker's audio on its way to recognition: 16 kHz, mono, signed 16 bit. */
export interface AudioFrame {
  /** Not changed after it was handed over. */
  readonly pcm: Int16Array;
  /** Position of `pcm[0]` in the stream. */
  readonly firstSample: SampleIndex;
  /** When its last sample reached this process: the first stamp of every latency. */
  readonly receivedAtMs: MonotonicMs;
}

/** The nearest signed 16-bit integer. */
export const toPcm16 = (value: number): number => Math.max(-32_768, Math.min(32_767, Math.round(value)));

/** Full scale of signed 16 bit maps to [-1, 1). */
export const toFloat32 = (pcm: Int16Array): Float32Array => new FloatScratch().samplesOf(pcm);

/** Converts audio that is used at once, always into the same memory. */
export class FloatScratch {
  #room = new Float32Array(0);

  /** As `toFloat32`; holds until the next call. */
  samplesOf(pcm: Int16Array): Float32Array {
    if (pcm.length > this.#room.length) this.#room = new Float32Array(pcm.length);
    const samples = this.#room.subarray(0, pcm.length);
    for (let i = 0; i < pcm.length; i++) samples[i] = (pcm[i] ?? 0) / 32768;
    return samples;
  }
}
