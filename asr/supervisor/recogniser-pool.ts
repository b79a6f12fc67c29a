import { performance } from 'node:perf_hooks';
import { CaptionError, type SampleIndex, samplesToMs } from '../../protocol/index.js';
import type { FromChild } from '../child/messages.js';
import { ChildLink } from './child-link.js';
import { PoolHealth, type PoolHealthState } from './pool-health.js';
import {
  type ChildDown,
  type ChildReady,
  SupervisedChild,
  type SupervisedChildOptions,
} from './supervised-child.js';
import { Utterance, type UtteranceListener } from './utterance.js';

const DEFAULT_PROGRESS_DEADLINE_MS = 15_000;
const DEFAULT_SWEEP_INTERVAL_MS = 1000;
/** Starts that fail one after the other before `start` gives up. */
const MAX_FAILED_STARTS = 3;

export interface RecogniserPoolOptions extends SupervisedChildOptions {
  /** How many children. Utterances go to the one with the fewest. */
  readonly children: number;
  /** A child that owes an answer for so long is as good as hung, even when its heart beats. Default 15 s. */
  readonly progressDeadlineMs?: number;
  /** How often it is looked whether one does. Default 1 s. */
  readonly sweepIntervalMs?: number;
}

/** Watches what happens; every call is cheap. For metrics and logs. */
export interface PoolObserver {
  childReady?(info: ChildReady & { child: number }): void;
  childDown?(info: ChildDown & { child: number; utterances: number }): void;
  /** `audioMs`: how much audio of all speakers the call got further by. */
  decodeCall?(info: { child: number; callMs: number; batchSize: number; audioMs: number }): void;
  utteranceFailed?(): void;
  healthChanged?(health: PoolHealthState): void;
}

/** An utterance that is being recognised. */
export interface OpenUtterance {
  /** All audio before this position was taken into account. */
  readonly decodedThroughSample: SampleIndex;
  readonly firstSample: SampleIndex;
  /** Position after the last sample appended. */
  readonly endSample: SampleIndex;
  append(pcm: Int16Array): void;
  /** No more audio comes; the final hypothesis follows. */
  finish(): void;
  /** Nothing more is wanted. */
  cancel(): void;
}

/** Recogniser children, and the utterances spread over them. Owns both; `close()` ends the children. */
export class RecogniserPool {
  readonly #links: ChildLink<SupervisedChild>[] = [];
  readonly #progressDeadlineMs: number;
  readonly #sweepIntervalMs: number;
  /** Utterances that no ready child could take yet. */
  readonly #waiting = new Set<Utterance>();
  readonly #observer: PoolObserver;
  readonly #health: PoolHealth;
  readonly #startWaiters = new Set<{ resolve: () => void; reject: (error: CaptionError) => void }>();
  #nextUtteranceId = 1;
  #sweepTimer: NodeJS.Timeout | undefined;
  #wasReady = false;
  #isClosed = false;

  constructor(options: RecogniserPoolOptions, observer: PoolObserver = {}) {
    this.#observer = observer;
    this.#progressDeadlineMs = options.progressDeadlineMs ?? DEFAULT_PROGRESS_DEADLINE_MS;
    this.#sweepIntervalMs = options.sweepIntervalMs ?? DEFAULT_SWEEP_INTERVAL_MS;
    this.#health = new PoolHealth((health) => observer.healthChanged?.(health));
    for (let index = 0; index < options.children; index++) {
      const child = new SupervisedChild(options, {
        ready: (info) => this.#childReady(index, info),
        message: (message) => this.#receive(index, message),
        down: (info) => this.#childDown(index, info),
        failed: (error) => this.#childFailed(index, error),
      });
      this.#links.push(new ChildLink(child));
    }
  }

  get health(): PoolHealthState {
    return this.#health.state;
  }

  /** Utterances in children and waiting for one. */
  get openUtterances(): number {
    return this.#links.reduce((sum, link) => sum + link.utterances.size, this.#waiting.size);
  }

  /** Utterances that no child could take yet. */
  get waitingUtterances(): number {
    return this.#waiting.size;
  }

  /** Of the running children. */
  get childPids(): number[] {
    return this.#links.map((link) => link.child.pid).filter((pid) => pid !== undefined);
  }

  /**
   * Starts the children; resolves when the first is ready.
   * Errors: `recogniser_refused`, `recogniser_version_mismatch`, `recogniser_start_failed`.
   */
  start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => this.#startWaiters.add({ resolve, reject }));
    this.#sweepTimer = setInterval(() => this.#sweep(), this.#sweepIntervalMs);
    for (const link of this.#links) link.child.start();
    return ready;
  }

  openUtterance(firstSample: SampleIndex, listener: UtteranceListener): OpenUtterance {
    const utterance = new Utterance({
      id: this.#nextUtteranceId++,
      firstSample,
      listener,
      nowMs: performance.now(),
    });
    this.#place(utterance);
    return {
      firstSample,
      get decodedThroughSample() {
        return utterance.decodedThroughSample;
      },
      get endSample() {
        return utterance.endSample;
      },
      append: (pcm) => {
        utterance.append(pcm);
        this.#linkOf(utterance)?.flushSoon();
      },
      finish: () => {
        utterance.markFinishing();
        this.#linkOf(utterance)?.flushSoon();
      },
      cancel: () => this.#cancel(utterance),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweepTimer);
    this.#settleStart(new CaptionError('closed', 'The recogniser was closed while it started.'));
    await Promise.all(this.#links.map((link) => link.child.close()));
  }

  #place(utterance: Utterance): void {
    const [first, ...others] = this.#links.filter((link) => link.canTake(utterance));
    if (first === undefined) {
      this.#waiting.add(utterance);
      return;
    }
    const leastLoaded = others.reduce(
      (best, link) => (link.utterances.size < best.utterances.size ? link : best),
      first,
    );
    leastLoaded.assign(utterance);
  }

  #placeWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const utterance of waiting) this.#place(utterance);
  }

  #linkOf(utterance: Utterance): ChildLink<SupervisedChild> | undefined {
    return this.#links.find((link) => link.utterances.has(utterance.id));
  }

  #cancel(utterance: Utterance): void {
    utterance.cancel();
    this.#waiting.delete(utterance);
    this.#linkOf(utterance)?.cancel(utterance);
  }

  #childReady(index: number, info: ChildReady): void {
    this.#observer.childReady?.({ child: index, ...info });
    this.#settleStart();
    this.#wasReady = true;
    this.#placeWaiting();
    this.#updateHealth();
  }

  #receive(index: number, message: Extract<FromChild, { kind: 'decoded' | 'utteranceFailed' }>): void {
    const link = this.#links[index];
    if (link === undefined) return;
    if (message.kind === 'utteranceFailed') {
      this.#observer.utteranceFailed?.();
      link.utterances.get(message.utterance)?.fail();
      link.utterances.delete(message.utterance);
      return;
    }
    const { callMs, batchSize } = message;
    const now = performance.now();
    let wasCatchingUp = false;
    let samples = 0;
    for (const piece of message.pieces) {
      const utterance = link.utterances.get(piece.utterance);
      if (utterance === undefined) continue;
      wasCatchingUp ||= utterance.isCatchingUp;
      const before = utterance.decodedThroughSample;
      if (piece.isFinal) link.utterances.delete(piece.utterance);
      utterance.decoded({ ...piece, callMs }, now);
      samples += utterance.decodedThroughSample - before;
    }
    this.#observer.decodeCall?.({ child: index, callMs, batchSize, audioMs: samplesToMs(samples) });
    link.flushSoon();
    if (this.#waiting.size > 0) this.#placeWaiting();
    if (wasCatchingUp) this.#updateHealth();
  }

  #childDown(index: number, info: ChildDown): void {
    const link = this.#links[index];
    if (link === undefined) return;
    const orphans = link.takeAll();
    this.#observer.childDown?.({ child: index, utterances: orphans.length, ...info });
    if (link.child.failuresInARow >= MAX_FAILED_STARTS) {
      const reason =
        info.stderr === '' ? `it ended with ${String(info.exitCode ?? info.signal)}` : info.stderr;
      this.#settleStart(
        new CaptionError('recogniser_start_failed', `The recogniser cannot be started: ${reason}`, {
          retryable: true,
        }),
      );
    }
    this.#rehome(orphans);
  }

  #rehome(orphans: readonly Utterance[]): void {
    const now = performance.now();
    for (const utterance of orphans) {
      if (utterance.rewind(now)) this.#place(utterance);
      else this.#observer.utteranceFailed?.();
    }
    this.#updateHealth();
  }

  #childFailed(index: number, error: CaptionError): void {
    this.#settleStart(error);
    this.#rehome(this.#links[index]?.takeAll() ?? []);
  }

  #settleStart(error?: CaptionError): void {
    for (const waiter of this.#startWaiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
    this.#startWaiters.clear();
  }

  /** Looks for children that owe an answer for too long, and for utterances that wait in vain. */
  #sweep(): void {
    const now = performance.now();
    for (const link of this.#links) {
      const utterances = [...link.utterances.values()];
      const isStuck = utterances.some(
        (utterance) => utterance.awaitsChild && now - utterance.lastProgressAtMs > this.#progressDeadlineMs,
      );
      if (isStuck) link.child.restart();
      else for (const utterance of utterances) utterance.clearIfHarmless(now);
    }
    if (this.#links.every((link) => link.child.state === 'failed')) this.#giveUpWaiting();
    else this.#placeWaiting();
    this.#updateHealth();
  }

  /** No child will ever come back. */
  #giveUpWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const utterance of waiting) {
      utterance.fail();
      this.#observer.utteranceFailed?.();
    }
  }

  #updateHealth(): void {
    if (this.#isClosed || !this.#wasReady) return;
    const states = this.#links.map(({ child }) => {
      const isFirstStart = child.state === 'starting' && child.failuresInARow === 0;
      return isFirstStart ? 'ready' : child.state;
    });
    const isCatchingUp = this.#links.some((link) =>
      [...link.utterances.values()].some((item) => item.isCatchingUp),
    );
    this.#health.update({
      states,
      isCatchingUp,
      hasWaiting: this.#waiting.size > 0,
      nowMs: performance.now(),
    });
  }
}
