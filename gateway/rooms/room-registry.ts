import { CaptionError, type RoomName } from '../../protocol/index.js';
import { machineClockMs, wallClockMs } from '../clock.js';
import type { LatencyObserver } from '../latency/latency-observer.js';
import { RoomLatency } from '../latency/room-latency.js';
import { Room, type StatusNotice } from './room.js';

const SWEEP_INTERVAL_MS = 500;

export interface RoomRegistryOptions {
  readonly maxRooms: number;
  /** How long a room in which somebody spoke is kept after everybody has left. */
  readonly retentionMs: number;
  /** A meeting is over when nobody has been in its room to speak for so long. */
  readonly meetingEndMs: number;
  /** A room was begun; nothing has been said in it yet. */
  readonly opened?: (room: Room) => void;
  /** A room was forgotten. */
  readonly closed?: (room: Room) => void;
  /** Is told how late captions are. */
  readonly latency?: LatencyObserver;
}

/** The rooms of this gateway. A room begins with its first speaker or viewer. `close` stops its timer. */
export class RoomRegistry {
  readonly #options: RoomRegistryOptions;
  readonly #rooms = new Map<RoomName, Room>();
  readonly #sweepTimer: NodeJS.Timeout;
  #status: StatusNotice = { state: 'live', reason: '' };
  #lastEpochMs = 0;

  constructor(options: RoomRegistryOptions) {
    this.#options = options;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#sweepTimer.unref();
  }

  get rooms(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  /** Without beginning one. */
  find(name: RoomName): Room | undefined {
    return this.#rooms.get(name);
  }

  /** Throws CaptionError `too_many_rooms`. */
  enter(name: RoomName): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) {
      known.emptySinceMs = undefined;
      return known;
    }
    if (this.#rooms.size >= this.#options.maxRooms) {
      throw new CaptionError(
        'too_many_rooms',
        'This gateway has all the rooms it may have; try again later.',
        {
          retryable: true,
        },
      );
    }
    // A room that is opened again at once must still get a later epoch than before.
    this.#lastEpochMs = Math.max(this.#lastEpochMs + 1, machineClockMs());
    const { latency } = this.#options;
    const measured =
      latency === undefined
        ? undefined
        : new RoomLatency({ room: name, observer: latency, now: () => performance.now() });
    const room = new Room(name, this.#lastEpochMs, measured);
    room.setStatus('recognition', this.#status);
    this.#rooms.set(name, room);
    this.#options.opened?.(room);
    return room;
  }

  /** How recognition is doing, told to all rooms, present and future. */
  publishStatus(status: StatusNotice): void {
    this.#status = status;
    for (const room of this.#rooms.values()) room.setStatus('recognition', this.#status);
  }

  close(): void {
    clearInterval(this.#sweepTimer);
  }

  #sweep(): void {
    const nowMs = wallClockMs();
    for (const room of this.#rooms.values()) {
      room.endMeetingIfOver({ nowMs, endAfterMs: this.#options.meetingEndMs });
      if (room.viewerCount + room.speakerCount > 0) {
        room.emptySinceMs = undefined;
        continue;
      }
      room.emptySinceMs ??= nowMs;
      if (room.hasCaptions && nowMs - room.emptySinceMs < this.#options.retentionMs) continue;
      this.#rooms.delete(room.name);
      this.#options.closed?.(room);
    }
  }
}
