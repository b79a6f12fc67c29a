import { CaptionError, type SampleIndex, samplesToMs } from '../../protocol/index.js';
import type { FromChild } from '../child/messages.js';
import { ChildLink } from './child-link.js';
import { FirstReady } from './first-ready.js';
import { Lateness } from './lateness.js';
import { PoolHealth, type PoolHealthState } from './pool-health.js';
import type { PoolObserver } from './pool-observer.js';
import { PoolSize, type PoolSizeOptions } from './pool-size.js';
import { leastLoaded, spreadLoad } from './spread-load.js';
import {
  type ChildDown,
  type ChildReady,
  SupervisedChild,
  type SupervisedChildOptions,
} from './supervised-child.js';
import { type OpenUtterance, Utterance, type UtteranceListener } from './utterance.js';
import { Workload } from './workload.js';
import { detached } from '../detached.js';

const DEFAULT_PROGRESS_DEADLINE_MS = 15_000;
const DEFAULT_SWEEP_INTERVAL_MS = 1000;
/** Starts that fail one after the other before `start` gives up. */
const MAX_FAILED_STARTS = 3;

export interface RecogniserPoolOptions extends SupervisedChildOptions {
  /** How many children. Utterances go to the one with the fewest. */
  readonly children: number;
  /** How many there may be while recognition is behind. Default `children`. */
  readonly maxChildren?: number;
  /**
   * One more is kept ready, without work, to take the place of one that ends, or to help where there may be more: what takes long
   * after a crash is loading the model. While it helps there is no other: the children stand in for each other. Default false.
   */
  readonly hasStandby?: boolean;
  /** How soon there are more or fewer. */
  readonly sizing?: Omit<PoolSizeOptions, 'least' | 'most'>;
  /** A child that owes an answer for so long is as good as hung, even when its heart beats. Default 15 s. */
  readonly progressDeadlineMs?: number;
  /** How often it is looked whether one does. Default 1 s. */
  readonly sweepIntervalMs?: number;
}

type Link = ChildLink<SupervisedChild>;

/** Recogniser children, and the utterances spread over them. Owns both; `close()` ends the children. */
export class RecogniserPool {
  readonly #options: RecogniserPoolOptions;
  #links: Link[] = [];
  /** Not among the links: it is given nothing to do. */
  #standby: Link | undefined;
  /** Ends of children that were not needed any more. */
  readonly #endings = new Set<Promise<void>>();
  readonly #size: PoolSize;
  readonly #lateness = new Lateness();
  readonly #workload = new Workload(performance.now());
  readonly #progressDeadlineMs: number;
  readonly #sweepIntervalMs: number;
  /** Utterances that no ready child could take yet. */
  readonly #waiting = new Set<Utterance>();
  readonly #observer: PoolObserver;
  readonly #health: PoolHealth;
  readonly #firstReady = new FirstReady();
  #nextUtteranceId = 1;
  #nextChildId = 0;
  #sweepTimer: NodeJS.Timeout | undefined;
  #wasReady = false;
  #isClosed = false;

  constructor(options: RecogniserPoolOptions, observer: PoolObserver = {}) {
    this.#options = options;
    this.#observer = observer;
    this.#size = new PoolSize({
      least: options.children,
      most: Math.max(options.children, options.maxChildren ?? 0),
      ...options.sizing,
    });
    this.#progressDeadlineMs = options.progressDeadlineMs ?? DEFAULT_PROGRESS_DEADLINE_MS;
    this.#sweepIntervalMs = options.sweepIntervalMs ?? DEFAULT_SWEEP_INTERVAL_MS;
    this.#health = new PoolHealth((health) => observer.healthChanged?.(health));
    for (let index = 0; index < options.children; index++) this.#links.push(this.#createLink());
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

  /** Children that take utterances; a standby does not. */
  get workingChildren(): number {
    return this.#links.length;
  }

  /** Of the running children. */
  get childPids(): number[] {
    return this.#allLinks.map((link) => link.child.pid).filter((pid) => pid !== undefined);
  }

  /**
   * Starts the children; resolves when the first is ready.
   * Errors: `recogniser_refused`, `recogniser_version_mismatch`, `recogniser_start_failed`.
   */
  start(): Promise<void> {
    const ready = this.#firstReady.wait();
    this.#sweepTimer = setInterval(() => this.#sweep(), this.#sweepIntervalMs);
    for (const link of this.#links) link.child.start();
    return ready;
  }

  /** `vocabulary`: phrases to favour, where the model can. */
  openUtterance(
    firstSample: SampleIndex,
    listener: UtteranceListener,
    vocabulary: readonly string[] = [],
  ): OpenUtterance {
    const utterance = new Utterance({
      id: this.#nextUtteranceId++,
      firstSample,
      vocabulary,
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
      setVocabulary: (phrases) => {
        const change = utterance.changeVocabulary(phrases);
        if (change !== undefined) this.#linkOf(utterance)?.tellVocabulary(utterance, change);
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
    this.#firstReady.settle(new CaptionError('closed', 'The recogniser was closed while it started.'));
    await Promise.all([...this.#allLinks.map((link) => link.child.close()), ...this.#endings]);
  }

  get #allLinks(): Link[] {
    return this.#standby === undefined ? this.#links : [...this.#links, this.#standby];
  }

  #createLink(): Link {
    const child = new SupervisedChild(this.#options, {
      ready: (info) => this.#childReady(link, info),
      message: (message) => this.#receive(link, message),
      down: (info) => this.#childDown(link, info),
      failed: (error) => this.#childFailed(link, error),
    });
    const link: Link = new ChildLink(child, this.#nextChildId++);
    return link;
  }

  /** When all the others are up, a start must not take longer for it, and none is there only to help. */
  #startStandby(): void {
    const { hasStandby, children } = this.#options;
    const isDue =
      hasStandby === true && this.#links.length <= children && this.#links.every((link) => link.isReady);
    if (!isDue || this.#standby !== undefined || this.#isClosed) return;
    this.#standby = this.#createLink();
    this.#standby.child.start();
  }

  /** The standby takes the place of a child that is not there, which becomes the standby itself when it is back. */
  #replaceByStandby(): void {
    const index = this.#links.findIndex((link) => !link.isReady);
    const missing = this.#links[index];
    if (this.#standby?.isReady !== true || missing === undefined) return;
    this.#links[index] = this.#standby;
    this.#standby = missing;
  }

  /** One more that takes its part of the work: the standby, if there is one. */
  #addChild(): void {
    const link = this.#standby ?? this.#createLink();
    if (this.#standby === undefined) link.child.start();
    this.#standby = undefined;
    this.#links.push(link);
  }

  /** A child that has nothing to do stands by, or is ended. */
  #removeChild(link: Link): void {
    this.#links = this.#links.filter((other) => other !== link);
    link.isDraining = false;
    if (this.#options.hasStandby === true && this.#standby === undefined && link.isReady) {
      this.#standby = link;
      return;
    }
    const ending = link.child.close().finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
    detached('end of a recogniser', ending);
  }

  #place(utterance: Utterance): void {
    const link = leastLoaded(this.#links.filter((candidate) => candidate.canTake(utterance)));
    if (link === undefined) this.#waiting.add(utterance);
    else link.assign(utterance);
  }

  #placeWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const utterance of waiting) this.#place(utterance);
  }

  #linkOf(utterance: Utterance): Link | undefined {
    return this.#links.find((link) => link.utterances.has(utterance.id));
  }

  #cancel(utterance: Utterance): void {
    utterance.cancel();
    this.#waiting.delete(utterance);
    this.#linkOf(utterance)?.cancel(utterance);
  }

  #childReady(link: Link, info: ChildReady): void {
    link.savesStreams = info.savesStreams;
    this.#observer.childReady?.({ child: link.id, ...info });
    this.#firstReady.settle();
    this.#wasReady = true;
    this.#replaceByStandby();
    this.#startStandby();
    this.#placeWaiting();
    spreadLoad(this.#links);
    this.#updateHealth();
  }

  #receive(link: Link, message: Extract<FromChild, { kind: 'decoded' | 'saved' | 'utteranceFailed' }>): void {
    if (message.kind === 'saved') {
      this.#stateCame(link, message);
      return;
    }
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
    let advanced = 0;
    for (const piece of message.pieces) {
      const utterance = link.utterances.get(piece.utterance);
      if (utterance === undefined) continue;
      wasCatchingUp ||= utterance.isCatchingUp;
      const before = utterance.decodedThroughSample;
      if (piece.isFinal) link.utterances.delete(piece.utterance);
      utterance.decoded({ ...piece, callMs }, now);
      samples += utterance.decodedThroughSample - before;
      advanced += Number(utterance.decodedThroughSample > before);
    }
    this.#workload.noteCall({ callMs, batchSize, advanced });
    this.#observer.decodeCall?.({ child: link.id, callMs, batchSize, audioMs: samplesToMs(samples) });
    link.flushSoon();
    link.saveOne(now);
    if (this.#waiting.size > 0) this.#placeWaiting();
    if (wasCatchingUp) this.#updateHealth();
  }

  #stateCame(link: Link, { utterance: id, saved }: Extract<FromChild, { kind: 'saved' }>): void {
    const utterance = link.utterances.get(id);
    if (!link.stateCame(id, saved) || utterance === undefined) return;
    utterance.leave(performance.now());
    this.#place(utterance);
  }

  #childDown(link: Link, info: ChildDown): void {
    const orphans = link.takeAll();
    this.#observer.childDown?.({ child: link.id, utterances: orphans.length, ...info });
    // One that was to go anyway, or that was only to help, is not worth the wait.
    if (this.#links.indexOf(link) >= this.#options.children) this.#removeChild(link);
    else this.#replaceByStandby();
    if (link.child.failuresInARow >= MAX_FAILED_STARTS) {
      const reason =
        info.stderr === '' ? `it ended with ${String(info.exitCode ?? info.signal)}` : info.stderr;
      this.#firstReady.settle(
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

  #childFailed(link: Link, error: CaptionError): void {
    this.#firstReady.settle(error);
    this.#rehome(link.takeAll());
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
    this.#adaptSize(now);
    spreadLoad(this.#links);
    this.#updateHealth();
  }

  #adaptSize(nowMs: number): void {
    this.#lateness.look(this.#behindMs());
    const step = this.#size.step({
      lateness: this.#lateness,
      cores: this.#workload.takeCores(nowMs),
      children: this.#links.length,
      nowMs,
    });
    if (step > 0) this.#addChild();
    const last = this.#links.at(-1);
    if (step < 0 && last !== undefined) last.isDraining = true;
    for (const link of this.#links.filter(({ isDraining }) => isDraining)) {
      // What cannot be moved is finished there: an utterance has an end.
      if (link.utterances.size > 0) link.sendAway(link.utterances.size);
      else this.#removeChild(link);
    }
    this.#startStandby();
  }

  /** How far recognition is behind the speaker who waits the longest, replays after a crash apart. */
  #behindMs(): number {
    let samples = 0;
    for (const link of this.#links) {
      for (const utterance of link.utterances.values())
        if (!utterance.isCatchingUp)
          samples = Math.max(samples, utterance.endSample - utterance.decodedThroughSample);
    }
    return samplesToMs(samples);
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
      isLate: this.#lateness.isLate,
      nowMs: performance.now(),
    });
  }
}
