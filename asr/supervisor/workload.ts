/** Of what happened since it was asked last: how many cores recognisers spent on decoding for good. */
export class Workload {
  #decodingMs = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** `advanced` of the `batchSize` streams of a call got further by it; the others were only looked at. */
  noteCall(call: { readonly callMs: number; readonly batchSize: number; readonly advanced: number }): void {
    if (call.batchSize > 0) this.#decodingMs += (call.callMs * call.advanced) / call.batchSize;
  }

  /** Begins anew. 0 when no time has passed. */
  takeCores(nowMs: number): number {
    const elapsedMs = nowMs - this.#sinceMs;
    const cores = elapsedMs > 0 ? this.#decodingMs / elapsedMs : 0;
    this.#decodingMs = 0;
    this.#sinceMs = nowMs;
    return cores;
  }
}
