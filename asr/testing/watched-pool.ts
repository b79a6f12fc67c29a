/** A pool of misbehaving children and all that it reported, and people who talk to it. */
import { join } from 'node:path';
import { afterEach, expect, vi } from 'vitest';
import { sampleIndex } from '../../protocol/index.js';
import { scratchDirs } from '../models/testing/scratch-dir.js';
import type { PoolHealthState } from '../supervisor/pool-health.js';
import { RecogniserPool, type RecogniserPoolOptions } from '../supervisor/recogniser-pool.js';
import type { ChildDown } from '../supervisor/supervised-child.js';
import type { OpenUtterance } from '../supervisor/utterance.js';
import type { Hypothesis } from '../token.js';
import { fakeSpeech, fakeWord } from './fake-recogniser.js';
import { misbehave, type Misbehaviour, MISBEHAVING_CHILD } from './misbehaviour.js';
import { isRunning } from './processes.js';

const newDir = scratchDirs();
const pools: Watched[] = [];

export const inFirstLives = async (count: number): Promise<{ file: string; count: number }> => ({
  file: join(await newDir(), 'lives'),
  count,
});

/** A pool and all that it reported; closed after the test. */
export class Watched {
  readonly downs: ChildDown[] = [];
  /** Which children became ready. */
  readonly readies: number[] = [];
  /** The child of each decoding call. */
  readonly calls: number[] = [];
  readonly healths: PoolHealthState['state'][] = [];
  readonly pids = new Set<number>();
  failedUtterances = 0;
  readonly pool: RecogniserPool;

  constructor(misbehaviour: Misbehaviour, options: Partial<RecogniserPoolOptions> = {}) {
    this.pool = new RecogniserPool(
      {
        entry: MISBEHAVING_CHILD,
        recogniser: misbehave(misbehaviour),
        children: 1,
        backoff: { firstDelayMs: 5, maxDelayMs: 20, healthyAfterMs: 30_000 },
        sweepIntervalMs: 50,
        ...options,
      },
      {
        childReady: ({ child }) => {
          this.readies.push(child);
          this.#notePids();
        },
        childDown: (info) => this.downs.push(info),
        decodeCall: ({ child }) => this.calls.push(child),
        healthChanged: ({ state }) => this.healths.push(state),
        utteranceFailed: () => (this.failedUtterances += 1),
      },
    );
    pools.push(this);
  }

  #notePids(): void {
    for (const pid of this.pool.childPids) this.pids.add(pid);
  }

  say(values: readonly number[]): Talk {
    const talk = new Talk(this.pool);
    talk.say(values);
    return talk;
  }
}

/** One utterance and what came of it. */
export class Talk {
  readonly told: Hypothesis[] = [];
  hasFailed = false;
  readonly utterance: OpenUtterance;

  constructor(pool: RecogniserPool, firstSample = 0) {
    this.utterance = pool.openUtterance(sampleIndex(firstSample), {
      hypothesis: (hypothesis) => this.told.push(hypothesis),
      failed: () => (this.hasFailed = true),
    });
  }

  say(values: readonly number[]): void {
    this.utterance.append(fakeSpeech(values));
  }

  get text(): string {
    return (
      this.told
        .at(-1)
        ?.committed.map(({ text }) => text)
        .join('')
        .trim() ?? ''
    );
  }

  get isFinal(): boolean {
    return this.told.at(-1)?.isFinal === true;
  }

  waitFor(words: readonly number[]): Promise<void> {
    return vi.waitFor(() => expect(this.text).toBe(textOf(words)), { timeout: 20_000 });
  }

  /** Ends the utterance and waits for its final. */
  async finish(words: readonly number[]): Promise<void> {
    this.utterance.finish();
    await vi.waitFor(() => expect(this.isFinal).toBe(true), { timeout: 20_000 });
    expect(this.text).toBe(textOf(words));
    expect(this.told.filter(({ isFinal }) => isFinal)).toHaveLength(1);
    expect(this.hasFailed).toBe(false);
  }

  waitUntilFailed(): Promise<void> {
    return vi.waitFor(() => expect(this.hasFailed).toBe(true), { timeout: 30_000 });
  }
}

const textOf = (values: readonly number[]): string => values.map(fakeWord).join(' ');

afterEach(async () => {
  for (const { pool, pids } of pools.splice(0)) {
    await pool.close();
    expect(pool.childPids).toEqual([]);
    expect([...pids].filter(isRunning)).toEqual([]);
  }
});
