import type { SileroVad, VadRequest } from './silero-vad.js';

/** A stream that waits for verdicts. */
export interface VadClient {
  /** The next frame to judge; undefined when there is none. */
  takeRequest(): VadRequest | undefined;
  /** The verdict on the frame taken last. Called in order, one at a time. */
  deliver(probability: number): void;
}

/**
 * With many streams it pays to gather frames: one alone costs 0.20 ms, eight or more together 0.04 ms each. Waiting longer
 * than this would show in the latency of endpoints; one stream alone never waits.
 */
const MAX_WAIT_MS = 16;
const WAIT_PER_ACTIVE_STREAM_MS = 1;
export const MAX_VAD_BATCH = 64;

/** Gathers the frames of all streams into calls of the voice activity model. */
export class VadBatcher {
  readonly #vad: Pick<SileroVad, 'judge'>;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Set<VadClient>();
  #lastBatchSize = 1;
  #isScheduled = false;

  constructor(vad: Pick<SileroVad, 'judge'>, onError: (error: unknown) => void) {
    this.#vad = vad;
    this.#onError = onError;
  }

  /** `client` has a frame to judge. */
  request(client: VadClient): void {
    this.#waiting.add(client);
    this.#schedule();
  }

  /** `client` wants nothing any more. */
  remove(client: VadClient): void {
    this.#waiting.delete(client);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    const run = (): void => void this.#run();
    const waitMs = Math.min(MAX_WAIT_MS, (this.#lastBatchSize - 1) * WAIT_PER_ACTIVE_STREAM_MS);
    if (waitMs === 0) setImmediate(run);
    else setTimeout(run, waitMs);
  }

  async #run(): Promise<void> {
    const clients: VadClient[] = [];
    const requests: VadRequest[] = [];
    for (const client of this.#waiting) {
      if (clients.length >= MAX_VAD_BATCH) break;
      this.#waiting.delete(client);
      const request = client.takeRequest();
      if (request === undefined) continue;
      clients.push(client);
      requests.push(request);
    }
    this.#lastBatchSize = Math.max(1, clients.length);
    const probabilities = await this.#judge(requests);
    this.#isScheduled = false;
    clients.forEach((client, index) => client.deliver(probabilities?.[index] ?? 1));
    this.#schedule();
  }

  /** Undefined when the model fails: then everything counts as speech, which costs CPU but loses no word. */
  async #judge(requests: readonly VadRequest[]): Promise<Float32Array | undefined> {
    if (requests.length === 0) return undefined;
    try {
      return await this.#vad.judge(requests);
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
