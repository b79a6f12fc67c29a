import { performance } from 'node:perf_hooks';
import { msToSamples } from '../../protocol/index.js';
import type { SavedUtterance, ToChild, VocabularyChange } from '../child/messages.js';
import type { Utterance } from './utterance.js';

/**
 * Audio of all utterances goes to a child in one message per interval: messages cost more than their bytes (0.1 ms each). The
 * more people talk, the more there is to save and the longer a turn in a batch takes anyway.
 */
const FLUSH_INTERVAL_PER_UTTERANCE_MS = 2;
const MAX_FLUSH_INTERVAL_MS = 20;
/**
 * A state is saved when a crash would mean to decode so much audio again, which most utterances never come to. With 10 (3)
 * people captions were back 242 (152) ms after a kill at 6 s, 270 (99) at 2 s, 763 (282) where nothing was saved; …
 */
const SAVED_AFTER_SAMPLES = msToSamples(6000);
/** … one at a time, no more often than this: a state is 350 kB on its way through a pipe. */
const MIN_SAVE_INTERVAL_MS = 50;

/** What a link needs of its child. */
export interface LinkedChild {
  readonly state: string;
  send(message: ToChild): boolean;
}

/** The utterances that are in one child, and the audio on its way there. */
export class ChildLink<Child extends LinkedChild> {
  readonly child: Child;
  /** For logs and metrics. */
  readonly id: number;
  readonly utterances = new Map<number, Utterance>();
  /** Its engine can save states. */
  savesStreams = false;
  /** It takes no more utterances. */
  isDraining = false;
  /** Utterances whose state was asked for, and whether they leave with it. */
  readonly #saving = new Map<number, { readonly isLeaving: boolean }>();
  #lastSaveAtMs = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #lastFlushAtMs = 0;

  constructor(child: Child, id = 0) {
    this.child = child;
    this.id = id;
  }

  get isReady(): boolean {
    return this.child.state === 'ready';
  }

  /** False when a suspect would come to another one: see `Utterance.isSuspect`. */
  canTake(utterance: Utterance): boolean {
    if (!this.isReady || this.isDraining) return false;
    return !utterance.isSuspect || ![...this.utterances.values()].some((other) => other.isSuspect);
  }

  assign(utterance: Utterance): void {
    this.utterances.set(utterance.id, utterance);
    const { id, firstSample, vocabularies, saved } = utterance;
    this.child.send({
      kind: 'open',
      utterance: id,
      firstSample,
      vocabularies,
      ...(saved === undefined ? {} : { saved }),
    });
    this.flushSoon();
  }

  /** Utterances that are here to stay. */
  get load(): number {
    return this.utterances.size - [...this.#saving.values()].filter(({ isLeaving }) => isLeaving).length;
  }

  /** Asks for the state of the utterance of which a crash would cost the most. */
  saveOne(nowMs: number): void {
    if (!this.savesStreams || this.#saving.size > 0 || nowMs - this.#lastSaveAtMs < MIN_SAVE_INTERVAL_MS)
      return;
    let costliest: Utterance | undefined;
    for (const utterance of this.utterances.values()) {
      const isWorthIt = !utterance.isFinishing && utterance.unsavedSamples >= SAVED_AFTER_SAMPLES;
      if (isWorthIt && utterance.unsavedSamples > (costliest?.unsavedSamples ?? 0)) costliest = utterance;
    }
    if (costliest === undefined) return;
    this.#lastSaveAtMs = nowMs;
    this.#askForState(costliest, false);
  }

  /** Asks up to `count` utterances to leave: each comes back with its state, see `stateCame`. */
  sendAway(count: number): void {
    if (!this.isReady || !this.savesStreams) return;
    const movable = [...this.utterances.values()].filter(
      ({ id, isFinishing, isSuspect, isCatchingUp }) =>
        !isFinishing && !isSuspect && !isCatchingUp && !this.#saving.has(id),
    );
    for (const utterance of movable.slice(0, count)) this.#askForState(utterance, true);
  }

  /** A state came; true when the utterance is not in this child any more. */
  stateCame(id: number, saved: SavedUtterance | undefined): boolean {
    const asked = this.#saving.get(id);
    this.#saving.delete(id);
    const utterance = this.utterances.get(id);
    if (utterance === undefined || saved === undefined || asked === undefined) return false;
    utterance.noteSaved(saved);
    if (!asked.isLeaving) return false;
    this.utterances.delete(id);
    return true;
  }

  #askForState({ id }: Utterance, isLeaving: boolean): void {
    this.#saving.set(id, { isLeaving });
    this.child.send({ kind: 'save', utterance: id, isLeaving });
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
    this.#saving.clear();
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
