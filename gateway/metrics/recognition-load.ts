const WINDOW_MS = 10_000;
const SLICE_MS = 500;

/** How much of the recogniser children's time decoding has taken over the last ten seconds. */
export class RecognitionLoad {
  readonly #children: number;
  readonly #now: () => number;
  /** Decoding time by slice of time, newest last; at most `WINDOW_MS / SLICE_MS + 1`. */
  readonly #slices: { readonly slice: number; busyMs: number; audioMs: number }[] = [];
  readonly #startedAtMs: number;

  constructor(options: { children: number; now: () => number }) {
    this.#children = options.children;
    this.#now = options.now;
    this.#startedAtMs = options.now();
  }

  /** One decoding call, and how much audio it got further by. */
  noteCall({ callMs, audioMs }: { callMs: number; audioMs: number }): void {
    const slice = Math.floor(this.#now() / SLICE_MS);
    const newest = this.#slices.at(-1);
    if (newest?.slice === slice) {
      newest.busyMs += callMs;
      newest.audioMs += audioMs;
    } else {
      this.#slices.push({ slice, busyMs: callMs, audioMs });
    }
    this.#forgetOld(slice);
  }

  /** 0 (idle) to 1 (no child ever waits). */
  get busyShare(): number {
    const nowMs = this.#now();
    this.#forgetOld(Math.floor(nowMs / SLICE_MS));
    const spanMs = Math.min(WINDOW_MS, Math.max(SLICE_MS, nowMs - this.#startedAtMs));
    const busyMs = this.#slices.reduce((sum, slice) => sum + slice.busyMs, 0);
    return Math.min(1, busyMs / (spanMs * this.#children));
  }

  /** Decoding time for each second of audio; 0 while nobody talks. */
  get realTimeFactor(): number {
    this.#forgetOld(Math.floor(this.#now() / SLICE_MS));
    const audioMs = this.#slices.reduce((sum, slice) => sum + slice.audioMs, 0);
    return audioMs === 0 ? 0 : this.#slices.reduce((sum, slice) => sum + slice.busyMs, 0) / audioMs;
  }

  #forgetOld(nowSlice: number): void {
    while ((this.#slices[0]?.slice ?? nowSlice) < nowSlice - WINDOW_MS / SLICE_MS) this.#slices.shift();
  }
}
