const WINDOW_MS = 10_000;
const SLICE_MS = 500;

/** How much of the recogniser children's time decoding has taken over the last ten seconds. */
export class RecognitionLoad {
  readonly #children: number;
  readonly #now: () => number;
  /** Decoding time by slice of time, newest last; at most `WINDOW_MS / SLICE_MS + 1`. */
  readonly #slices: { readonly slice: number; busyMs: number }[] = [];
  readonly #startedAtMs: number;

  constructor(options: { children: number; now: () => number }) {
    this.#children = options.children;
    this.#now = options.now;
    this.#startedAtMs = options.now();
  }

  noteCall(callMs: number): void {
    const slice = Math.floor(this.#now() / SLICE_MS);
    const newest = this.#slices.at(-1);
    if (newest?.slice === slice) newest.busyMs += callMs;
    else this.#slices.push({ slice, busyMs: callMs });
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

  #forgetOld(nowSlice: number): void {
    while ((this.#slices[0]?.slice ?? nowSlice) < nowSlice - WINDOW_MS / SLICE_MS) this.#slices.shift();
  }
}
