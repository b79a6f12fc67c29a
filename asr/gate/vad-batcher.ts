import type { SileroVad, VadRequest } from './silero-vad.js';
import { detached, reportStrayError } from '../detached.js';

/** A stream that waits for verdicts. */
export interface VadClient {
  /** So many frames wait that its audio is not live, or somebody waits for the verdict. */
  readonly isBehind: boolean;
  /** The next frame to judge; undefined when there is none. */
  takeRequest(): VadRequest | undefined;
  /** The verdict on the frame taken last. Called in order, one at a time. */
  deliver(probability: number): void;
}

/**
 * With many streams it pays to gather frames: one alone costs 0.20 ms, eight or more together 0.04 ms each. So calls are at
 * least this far apart. A stream alone has a frame every 32 ms and never waits; audio that has to catch up does not either.
 */
const MIN_CALL_INTERVAL_MS = 24;
export const MAX_VAD_BATCH = 64;

/** Gathers the frames of all streams into calls of the voice activity model. */
export class VadBatcher {
  readonly #vad: Pick<SileroVad, 'judge'>;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Set<VadClient>();
  #lastCallAtMs = -Infinity;
  #isScheduled = false;
  /** Of a call that waits for company. */
  #timer: NodeJS.Timeout | undefined;

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

  /** A client has come to be behind: the next call waits for no company. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    setImmediate(() => detached('voice gate', this.#run()));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    const isBehind = [...this.#waiting].some((client) => client.isBehind);
    const waitMs = isBehind ? 0 : this.#lastCallAtMs + MIN_CALL_INTERVAL_MS - performance.now();
    if (waitMs <= 0) setImmediate(() => detached('voice gate', this.#run()));
    else this.#timer = setTimeout(() => detached('voice gate', this.#run()), waitMs);
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
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
    this.#lastCallAtMs = performance.now();
    const probabilities = await this.#judge(requests);
    this.#isScheduled = false;
    clients.forEach((client, index) => {
      try {
        client.deliver(probabilities?.[index] ?? 1);
      } catch (error) {
        // The others are waiting for theirs.
        reportStrayError('voice gate', error);
      }
    });
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
