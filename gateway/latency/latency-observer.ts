import type { RoomName } from '../../protocol/index.js';
import type { WordLatency } from './word-latency.js';

/** Is told what was measured. Every call is cheap and never throws. */
export interface LatencyObserver {
  /** A word of a final, counted from when it first stood where it stayed. */
  word(room: RoomName, latency: WordLatency): void;
  /** From the end of a segment's last word to its final; `atMs`: monotonic, of that end. */
  final(room: RoomName, measured: { atMs: number; latencyMs: number }): void;
  /** From the beginning of a segment's first word to its first text. */
  firstPartial(room: RoomName, measured: { atMs: number; latencyMs: number }): void;
  /** Words that were shown and then changed or went. */
  revised(room: RoomName, words: number): void;
}
