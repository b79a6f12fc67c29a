import { performance } from 'node:perf_hooks';
import type { ToChild, VocabularyChange } from '../child/messages.js';
import type { Utterance } from './utterance.js';

/**
 * Audio of all utterances goes to a child in one message per interval: messages cost more than their bytes (0.1 ms each). The
 * more people talk, the more there is to save and the longer a turn in a batch takes anyway.
 */
const FLUSH_INTERVAL_PER_UTTERANCE_MS = 2;
const MAX_FLUSH_INTERVAL_MS = 20;

/** What a link needs of its child. */
export interface LinkedChild {
  readonly state: string;
  send(message: ToChild): boolean;
}

/** The utterances that are in one child, and the audio on its way there. */
export class ChildLink<Child extends LinkedChild> {
  readonly child: Child;
  readonly utterances = new Map<number, Utterance>();
  #flushTimer: NodeJS.Timeout | undefined;
  #lastFlushAtMs = 0;

  constructor(child: Child) {
    this.child = child;
  }

  get isReady(): boolean {
    return this.child.state === 'ready';
  }

  /** False when a suspect would come to another one: see `Utterance.isSuspect`. */
  canTake(utterance: Utterance): boolean {
    if (!this.isReady) return false;
    return !utterance.isSuspect || ![...this.utterances.values()].some((other) => other.isSuspect);
  }

  assign(utterance: Utterance): void {
    this.utterances.set(utterance.id, utterance);
    const { id, firstSample, vocabularies } = utterance;
    this.child.send({ kind: 'open', utterance: id, firstSample, vocabularies });
    this.flushSoon();
  }

  tellVocabulary(utterance: Utterance, change: VocabularyChange): void {
    this.child.send({ kind: 'vocabulary', utterance: utterance.id, change });
  }

  /** Forgets an utterance and tells the child to. */
  cancel(utterance: Utterance): void {
    if (this.utterances.delete(utterance.id)) this.child.send({ kind: 'cancel', utterance: utterance.id });
  }

  /** Takes all utterances away, because the child is gone. */
  takeAll(): Utterance[] {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const taken = [...this.utterances.values()];
    this.utterances.clear();
    return taken;
  }

  flushSoon(): void {
    if (this.#flushTimer !== undefined) return;
    const intervalMs = Math.min(
      MAX_FLUSH_INTERVAL_MS,
      this.utterances.size * FLUSH_INTERVAL_PER_UTTERANCE_MS,
    );
    const waitMs = Math.max(0, this.#lastFlushAtMs + intervalMs - performance.now());
    this.#flushTimer = setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#lastFlushAtMs = performance.now();
    if (!this.isReady) return;
    const pieces: { utterance: number; pcm: Int16Array }[] = [];
    for (const utterance of this.utterances.values()) {
      const pcm = utterance.takeUnsentAudio();
      if (pcm === undefined) continue;
      utterance.lastProgressAtMs = this.#lastFlushAtMs;
      pieces.push({ utterance: utterance.id, pcm });
    }
    if (pieces.length > 0) this.child.send({ kind: 'audio', pieces });
    for (const utterance of this.utterances.values()) {
      if (!utterance.takeFinish()) continue;
      utterance.lastProgressAtMs = this.#lastFlushAtMs;
      this.child.send({ kind: 'finish', utterance: utterance.id });
    }
  }
}
