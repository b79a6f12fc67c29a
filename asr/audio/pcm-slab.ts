/** One second at 16 kHz. */
const SLAB_SAMPLES = 16_000;

/**
 * Copies frames of audio into memory that many frames share: an allocation of its own for each frame of each speaker keeps
 * the garbage collector busier than all the rest of a silent speaker. A slab is freed when none of its frames is used any more.
 */
export class PcmSlab {
  #slab = new Int16Array(0);
  #used = 0;

  /** A copy of samples that came as bytes: signed 16 bit, little endian, whole samples. */
  copyOf(bytes: Uint8Array): Int16Array {
    const samples = bytes.length / Int16Array.BYTES_PER_ELEMENT;
    if (this.#used + samples > this.#slab.length) {
      this.#slab = new Int16Array(Math.max(SLAB_SAMPLES, samples));
      this.#used = 0;
    }
    const pcm = this.#slab.subarray(this.#used, this.#used + samples);
    this.#used += samples;
    new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength).set(bytes);
    return pcm;
  }
}
