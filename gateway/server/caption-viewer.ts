import { CaptionError } from '../../protocol/index.js';
import type { Room, RoomViewer } from '../rooms/room.js';
import type { HistoryStart } from '../rooms/room-history.js';

/** Unsent bytes at which a viewer counts as not reading: minutes of captions of a busy room. */
const PAUSE_ABOVE_BYTES = 256 * 1024;
/** It is given a fresh snapshot when fewer than this wait. */
const RESUME_BELOW_BYTES = 16 * 1024;
const CHECK_INTERVAL_MS = 250;

/** What is needed of a WebSocket. */
export interface ViewerSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  send(bytes: Uint8Array, options: { binary: boolean }): void;
}

export interface CaptionViewerOptions {
  readonly socket: ViewerSocket;
  readonly room: Room;
  /** From where on it may see what the room said. */
  readonly since: HistoryStart;
  /** A viewer that does not read for so long is disconnected. */
  readonly maxPauseMs: number;
  /** Calls `send` when it is time for another snapshot, unless the result is called before. */
  readonly askForSnapshot: (send: () => void) => () => void;
  /** A message was not sent because the viewer does not read. */
  readonly skipped: () => void;
  /** It was given another snapshot: it had a hole, or reads again. */
  readonly resynced: () => void;
  /** It did not read for too long: the connection is to be closed. */
  readonly gaveUp: (error: CaptionError) => void;
}

/**
 * One viewer's socket. Reading slowly costs nobody else anything: above a bound of unsent bytes nothing more is queued, and
 * when the viewer has read what there is, it is given a snapshot instead of what it missed.
 */
export class CaptionViewer implements RoomViewer {
  readonly #options: CaptionViewerOptions;
  #pausedAtMs: number | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #cancelSnapshot: (() => void) | undefined;
  /** Of the newest snapshot, which is sent at once: a large one does not mean that the viewer is slow. */
  #snapshotBytes = 0;

  constructor(options: CaptionViewerOptions) {
    this.#options = options;
  }

  sendSnapshot(parts: readonly Uint8Array[]): void {
    this.#snapshotBytes = parts.reduce((sum, { length }) => sum + length, 0);
    for (const part of parts) this.send(part);
  }

  send(bytes: Uint8Array): void {
    const { socket } = this.#options;
    if (socket.readyState !== socket.OPEN) return;
    if (this.#pausedAtMs !== undefined) {
      this.#options.skipped();
      return;
    }
    socket.send(bytes, { binary: false });
    if (socket.bufferedAmount > PAUSE_ABOVE_BYTES + this.#snapshotBytes) this.#pause();
  }

  /** The viewer found a hole. */
  resync(): void {
    if (this.#pausedAtMs !== undefined) return;
    this.#cancelSnapshot ??= this.#options.askForSnapshot(() => this.#sendAnotherSnapshot());
  }

  close(): void {
    clearInterval(this.#checkTimer);
    this.#cancelSnapshot?.();
  }

  #pause(): void {
    this.#pausedAtMs = performance.now();
    this.#checkTimer = setInterval(() => this.#check(this.#pausedAtMs ?? 0), CHECK_INTERVAL_MS);
  }

  #check(pausedAtMs: number): void {
    const { socket, maxPauseMs } = this.#options;
    if (socket.bufferedAmount < RESUME_BELOW_BYTES) {
      clearInterval(this.#checkTimer);
      this.#pausedAtMs = undefined;
      this.resync();
    } else if (performance.now() - pausedAtMs > maxPauseMs) {
      clearInterval(this.#checkTimer);
      this.#options.gaveUp(
        new CaptionError('viewer_too_slow', 'Captions were not read; connect again.', { retryable: true }),
      );
    }
  }

  #sendAnotherSnapshot(): void {
    this.#cancelSnapshot = undefined;
    const { resynced, room, since } = this.#options;
    resynced();
    this.sendSnapshot(room.snapshotFor(since));
  }
}
