import type { GapReason, RoomName } from '../../protocol/index.js';
import type { WordLatency } from './word-latency.js';

/** `atMs`: monotonic milliseconds of this process. */
export interface MeasuredLatency {
  readonly atMs: number;
  readonly latencyMs: number;
}

/** Is told what was measured. Every call is cheap and never throws. */
export interface LatencyObserver {
  /** A word of a final, counted from when it first stood where it stayed. */
  word(room: RoomName, latency: WordLatency): void;
  /** From the end of a segment's last word to its final; `atMs`: monotonic, of that end. */
  final(room: RoomName, measured: MeasuredLatency): void;
  /** From the beginning of a segment's first word to its first text. */
  firstPartial(room: RoomName, measured: MeasuredLatency): void;
  /** Words that were shown and then changed or went. */
  revised(room: RoomName, words: number): void;
  /** Speech that was not captioned; `atMs`: monotonic, of its beginning. */
  gap(room: RoomName, gap: { atMs: number; durationMs: number; reason: GapReason }): void;
}

/** Tells all of them. */
export const allObservers = (observers: readonly LatencyObserver[]): LatencyObserver => ({
  word: (room, latency) => observers.forEach((observer) => observer.word(room, latency)),
  final: (room, measured) => observers.forEach((observer) => observer.final(room, measured)),
  firstPartial: (room, measured) => observers.forEach((observer) => observer.firstPartial(room, measured)),
  revised: (room, words) => observers.forEach((observer) => observer.revised(room, words)),
  gap: (room, gap) => observers.forEach((observer) => observer.gap(room, gap)),
});
