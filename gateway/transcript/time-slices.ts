const SLICE_MS = 5;

/** For long work in the gateway's own thread: captions of others must not wait for it. */
export class TimeSlices {
  #startedAtMs = performance.now();

  /** Lets everything else go first when this work has gone on for 5 ms. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#startedAtMs < SLICE_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#startedAtMs = performance.now();
  }
}
