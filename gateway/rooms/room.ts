import {
  applyMessage,
  type BroadcastMessage,
  type CaptionGap,
  type CaptionServiceState,
  type CaptionState,
  encodeMessage,
  epochMs,
  type EpochMs,
  type RoomName,
  snapshotMessages,
  splitDelta,
  startEpoch,
} from '../../protocol/index.js';
import type { DeltaDraft } from './delta-assembler.js';

/** Somebody who is shown what a room says. Must not block. */
export interface RoomViewer {
  /** The bytes are shared among viewers: not to be changed. */
  send(bytes: Uint8Array): void;
}

export type GapDraft = Omit<CaptionGap, 'kind' | 'room' | 'epochMs' | 'seq'>;

/** One meeting room: its captions so far and those who see them. The store is the same reducer that viewers use. */
export class Room {
  readonly name: RoomName;
  readonly epochMs: EpochMs;
  readonly #viewers = new Set<RoomViewer>();
  readonly #speakers = new Set<string>();
  #state: CaptionState;
  #nextSegmentPrefix = 0;
  /** Since when nobody has been here; undefined while somebody is. */
  emptySinceMs: number | undefined;

  constructor(name: RoomName, nowMs: number) {
    this.name = name;
    this.epochMs = epochMs(Math.floor(nowMs));
    this.#state = startEpoch(name, this.epochMs);
  }

  get viewerCount(): number {
    return this.#viewers.size;
  }

  get speakerCount(): number {
    return this.#speakers.size;
  }

  get state(): CaptionState {
    return this.#state;
  }

  get hasCaptions(): boolean {
    return this.#state.finals.length + this.#state.open.length > 0;
  }

  addSpeaker(stream: string): void {
    this.#speakers.add(stream);
  }

  removeSpeaker(stream: string): void {
    this.#speakers.delete(stream);
  }

  /** Shows `viewer` everything so far and from now on. */
  addViewer(viewer: RoomViewer): void {
    for (const bytes of this.snapshot()) viewer.send(bytes);
    this.#viewers.add(viewer);
  }

  removeViewer(viewer: RoomViewer): void {
    this.#viewers.delete(viewer);
  }

  /** The present state, encoded: one or more messages. */
  snapshot(): Uint8Array[] {
    return snapshotMessages(this.#state).map(encodeMessage);
  }

  /** Prefix for the segment ids of one more stream; differs from that of every other stream of this room, ever. */
  newSegmentPrefix(): string {
    this.#nextSegmentPrefix += 1;
    return `${this.epochMs.toString(36)}-${this.#nextSegmentPrefix.toString(36)}`;
  }

  publishDelta(draft: DeltaDraft): void {
    const delta = { kind: 'delta', room: this.name, epochMs: this.epochMs, seq: this.#state.seq + 1, ...draft } as const;
    for (const part of splitDelta(delta)) this.#broadcast(part);
  }

  publishGap(draft: GapDraft): void {
    this.#broadcast({ kind: 'gap', room: this.name, epochMs: this.epochMs, seq: this.#state.seq + 1, ...draft });
  }

  /** Told once: repeating the present state does nothing. */
  publishStatus(state: CaptionServiceState, reason: string): void {
    if (this.#state.state === state && this.#state.reason === reason) return;
    this.#broadcast({ kind: 'status', room: this.name, epochMs: this.epochMs, seq: this.#state.seq + 1, state, reason });
  }

  #broadcast(message: BroadcastMessage): void {
    this.#state = applyMessage(this.#state, message);
    if (this.#viewers.size === 0) return;
    const bytes = encodeMessage(message);
    for (const viewer of this.#viewers) viewer.send(bytes);
  }
}
