import type { ParticipantIdentity } from '../../../protocol/index.js';
import type { RoadEvent } from './road.js';
import type { LaneQueue } from './send-lane.js';

/** More than a snapshot of a busy room has, so that sending one instead is never the longer way. */
const MAX_WAITING_BYTES = 128 * 1024;
const MAX_WAITING_MESSAGES = 500;

export interface WaitingMessage {
  readonly kind: 'message';
  readonly bytes: Uint8Array;
}

/** Made when it is sent, so it contains all that was told until then. */
export interface WaitingSnapshot {
  readonly kind: 'snapshot';
  readonly to: 'everybody' | Set<ParticipantIdentity>;
}

export type WaitingCaption = WaitingMessage | WaitingSnapshot;

/**
 * Messages in the order of `seq`. They build upon each other, so none can be left out: when too much waits, or one is lost, a
 * snapshot for everybody takes the place of all. At most one snapshot waits.
 */
export class CaptionQueue implements LaneQueue<WaitingCaption> {
  readonly #observe: (event: RoadEvent) => void;
  #waiting: WaitingCaption[] = [];
  #waitingBytes = 0;
  #snapshot: WaitingSnapshot | undefined;

  constructor(observe: (event: RoadEvent) => void) {
    this.#observe = observe;
  }

  get size(): number {
    return this.#waiting.length;
  }

  addMessage(bytes: Uint8Array): void {
    if (this.#snapshot?.to === 'everybody') return;
    this.#waiting.push({ kind: 'message', bytes });
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes <= MAX_WAITING_BYTES && this.#waiting.length <= MAX_WAITING_MESSAGES) return;
    for (const { kind } of this.#waiting) if (kind === 'message') this.#observe('dropped');
    this.addSnapshotForAll();
  }

  addSnapshot(to: ParticipantIdentity): void {
    if (this.#snapshot === undefined) {
      this.#snapshot = { kind: 'snapshot', to: new Set([to]) };
      this.#waiting.push(this.#snapshot);
    } else if (this.#snapshot.to !== 'everybody') {
      this.#snapshot.to.add(to);
    }
  }

  /** Takes the place of all that waits. */
  addSnapshotForAll(): void {
    this.clear();
    this.#snapshot = { kind: 'snapshot', to: 'everybody' };
    this.#waiting.push(this.#snapshot);
  }

  left(identity: ParticipantIdentity): void {
    if (this.#snapshot !== undefined && this.#snapshot.to !== 'everybody') this.#snapshot.to.delete(identity);
  }

  take(): WaitingCaption | undefined {
    const next = this.#waiting.shift();
    if (next?.kind === 'message') this.#waitingBytes -= next.bytes.length;
    else this.#snapshot = undefined;
    return next;
  }

  putBack(): void {
    this.addSnapshotForAll();
  }

  /** What was a snapshot itself is not tried again: viewers ask. */
  lost(item: WaitingCaption): void {
    if (item.kind === 'message') this.addSnapshotForAll();
  }

  unread(): void {
    this.clear();
  }

  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#snapshot = undefined;
  }
}
