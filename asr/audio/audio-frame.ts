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

/** Full scale of signed 16 bit maps to [-1, 1). */
export function toFloat32(pcm: Int16Array): Float32Array {
  const samples = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) samples[i] = (pcm[i] ?? 0) / 32768;
  return samples;
}
