import { sampleIndex, type SampleIndex } from '../../protocol/index.js';

/**
 * A sliding window over one stream's audio, addressed by sample position. Appending keeps references (no copy), to frames that
 * lie in memory one after the other as one;
 * `slice` copies, `views` does not. The owner bounds it with `discardBefore`.
 */
export class PcmWindow {
  #chunks: { firstSample: number; pcm: Int16Array }[] = [];
  #start: number;
  #end: number;

  constructor(firstSample: SampleIndex) {
    this.#start = firstSample;
    this.#end = firstSample;
  }

  /** Position of the oldest sample held. */
  get startSample(): SampleIndex {
    return sampleIndex(this.#start);
  }

  /** Position after the newest sample held. */
  get endSample(): SampleIndex {
    return sampleIndex(this.#end);
  }

  get lengthSamples(): number {
    return this.#end - this.#start;
  }

  append(pcm: Int16Array): void {
    if (pcm.length === 0) return;
    const last = this.#chunks.at(-1);
    // A second of frames from one slab is one chunk: there is less to keep and to search.
    if (last !== undefined && follows(last.pcm, pcm))
      last.pcm = new Int16Array(pcm.buffer, last.pcm.byteOffset, last.pcm.length + pcm.length);
    else this.#chunks.push({ firstSample: this.#end, pcm });
    this.#end += pcm.length;
  }

  /** Copies the samples of [from, to), cut to what is held. */
  slice(from: number, to: number): Int16Array {
    const first = Math.max(from, this.#start);
    const last = Math.min(to, this.#end);
    if (last <= first) return new Int16Array(0);
    const result = new Int16Array(last - first);
    let filled = 0;
    for (const view of this.views(first, last)) {
      result.set(view, filled);
      filled += view.length;
    }
    return result;
  }

  /** The samples of [from, to), cut to what is held, as views of what was appended, in order. */
  *views(from: number, to: number): Generator<Int16Array, void, undefined> {
    const first = Math.max(from, this.#start);
    const last = Math.min(to, this.#end);
    if (last <= first) return;
    for (let i = this.#chunkIndexAt(first); i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i];
      if (chunk === undefined || chunk.firstSample >= last) return;
      const begin = Math.max(first - chunk.firstSample, 0);
      const end = Math.min(last - chunk.firstSample, chunk.pcm.length);
      yield chunk.pcm.subarray(begin, end);
    }
  }

  /** Lets go of everything before `sample` (whole chunks only, so a little more may stay in memory). */
  discardBefore(sample: number): void {
    const index = this.#chunkIndexAt(Math.min(sample, this.#end));
    if (index > 0) this.#chunks.splice(0, index);
    this.#start = Math.max(this.#start, Math.min(sample, this.#end));
  }

  /** Index of the chunk that holds `sample`; the number of chunks when it lies after them. */
  #chunkIndexAt(sample: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      if (chunk !== undefined && chunk.firstSample + chunk.pcm.length <= sample) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** `next` lies right behind `pcm` in the same memory. */
const follows = (pcm: Int16Array, next: Int16Array): boolean =>
  pcm.buffer === next.buffer && pcm.byteOffset + pcm.byteLength === next.byteOffset;
