/** When which part of a stream's audio had come to some place. Grows with the audio that is kept: `discardBefore` bounds it. */
export class SampleStamps {
  /** Ascending, as are the times that belong to them. */
  #endSamples: number[] = [];
  #timesMs: number[] = [];

  /** All audio before `endSample` is there since `atMs`. What is no news changes nothing. */
  add(endSample: number, atMs: number): void {
    if (endSample <= (this.#endSamples.at(-1) ?? -Infinity)) return;
    this.#endSamples.push(endSample);
    this.#timesMs.push(Math.max(atMs, this.#timesMs.at(-1) ?? atMs));
  }

  /** Since when all audio before `sample` is there: of the oldest known for what was forgotten, of the newest for what is to come. */
  timeOf(sample: number): number | undefined {
    let low = 0;
    let high = this.#endSamples.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#endSamples[middle] ?? 0) >= sample) high = middle;
      else low = middle + 1;
    }
    return this.#timesMs[low];
  }

  /** Forgets what lies before `sample`. */
  discardBefore(sample: number): void {
    const first = this.#endSamples.findIndex((endSample) => endSample >= sample);
    // One by one would cost a copy a frame.
    if (first < DISCARDED_AT_ONCE) return;
    this.#endSamples = this.#endSamples.slice(first);
    this.#timesMs = this.#timesMs.slice(first);
  }
}

const DISCARDED_AT_ONCE = 32;
