import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VAD_FRAME_SAMPLES, type VadRequest, VadState } from './silero-vad.js';
import { MAX_VAD_BATCH, VadBatcher, type VadClient } from './vad-batcher.js';

/** Says of each frame what stands in its first sample, in per mille. */
class EchoVad {
  readonly batches: number[] = [];
  isBroken = false;

  judge(requests: readonly VadRequest[]): Promise<Float32Array> {
    this.batches.push(requests.length);
    if (this.isBroken) return Promise.reject(new Error('no model'));
    return Promise.resolve(Float32Array.from(requests, ({ frame }) => (frame[0] ?? 0) / 1000));
  }
}

/** Has frames judged one after the other. */
class Client implements VadClient {
  readonly verdicts: number[] = [];
  readonly #state = new VadState();
  readonly #batcher: VadBatcher;
  readonly #frames: number[];

  constructor(batcher: VadBatcher, frames: readonly number[]) {
    this.#batcher = batcher;
    this.#frames = [...frames];
    if (frames.length > 0) batcher.request(this);
  }

  get isBehind(): boolean {
    return this.#frames.length > 1;
  }

  takeRequest(): VadRequest | undefined {
    const value = this.#frames.shift();
    return value === undefined
      ? undefined
      : { frame: new Int16Array(VAD_FRAME_SAMPLES).fill(value), state: this.#state };
  }

  deliver(probability: number): void {
    this.verdicts.push(Math.round(probability * 1000));
    if (this.#frames.length > 0) this.#batcher.request(this);
  }
}

const ignore = (): void => undefined;

afterEach(() => {
  vi.useRealTimers();
});

describe('VadBatcher', () => {
  it('gives every client the verdicts on its own frames, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(1000), { maxLength: 5 }), { minLength: 1, maxLength: 8 }),
        async (inputs) => {
          const batcher = new VadBatcher(new EchoVad(), ignore);
          const clients = inputs.map((frames) => new Client(batcher, frames));
          await vi.waitFor(() => expect(clients.map((client) => client.verdicts)).toEqual(inputs), {
            interval: 1,
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('judges frames that arrive together in one call, at most 64 at a time', async () => {
    const vad = new EchoVad();
    const batcher = new VadBatcher(vad, ignore);
    const clients = Array.from({ length: MAX_VAD_BATCH + 36 }, (_, i) => new Client(batcher, [i]));
    await vi.waitFor(() =>
      expect(clients.map((client) => client.verdicts)).toEqual(clients.map((_, i) => [i])),
    );
    expect(vad.batches).toEqual([MAX_VAD_BATCH, 36]);
  });

  it('lets the frame of one stream wait for those of others, unless it is told to hurry', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
    const vad = new EchoVad();
    const batcher = new VadBatcher(vad, ignore);
    const first = new Client(batcher, [1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(first.verdicts).toEqual([1]);

    const together = [new Client(batcher, [2])];
    await vi.advanceTimersByTimeAsync(10);
    expect(together[0]?.verdicts).toEqual([]);
    together.push(new Client(batcher, [3]));
    await vi.advanceTimersByTimeAsync(30);
    expect(together.map(({ verdicts }) => verdicts)).toEqual([[2], [3]]);
    expect(vad.batches).toEqual([1, 2]);

    const urgent = new Client(batcher, [4]);
    batcher.hurry();
    batcher.hurry();
    await vi.advanceTimersByTimeAsync(1);
    expect(urgent.verdicts).toEqual([4]);
    expect(vad.batches).toEqual([1, 2, 1]);
  });

  it('counts everything as speech when the model fails, reports it, and goes on when it works again', async () => {
    const vad = new EchoVad();
    const failures: unknown[] = [];
    const batcher = new VadBatcher(vad, (error) => failures.push(error));
    vad.isBroken = true;
    const unlucky = new Client(batcher, [0]);
    await vi.waitFor(() => expect(unlucky.verdicts).toEqual([1000]));
    expect(failures).toHaveLength(1);
    vad.isBroken = false;
    const lucky = new Client(batcher, [7]);
    await vi.waitFor(() => expect(lucky.verdicts).toEqual([7]));
  });

  it('does not ask a client that was removed, nor one that has nothing any more', async () => {
    const vad = new EchoVad();
    const batcher = new VadBatcher(vad, ignore);
    const removed = new Client(batcher, [1]);
    const idle = new Client(batcher, []);
    batcher.request(idle);
    batcher.remove(removed);
    const other = new Client(batcher, [2]);
    await vi.waitFor(() => expect(other.verdicts).toEqual([2]));
    expect(removed.verdicts).toEqual([]);
    expect(vad.batches).toEqual([1]);
  });
});
