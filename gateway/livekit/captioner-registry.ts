import type { RoomName } from '../../protocol/index.js';
import type { Captioner, CaptionerRequest, StartCaptioner } from './captioner.js';
import {
  type Reservation,
  RESERVATION_LIMIT_MS,
  type ReservationRefusal,
  type RoomCaptioners,
} from './room-captioners.js';
import { detached } from '../../asr/detached.js';

/** What a room that was promised is counted as until its speakers are there. */
const SPEAKERS_OF_A_NEW_ROOM = 2;
/** Share of the recognisers' time above which no further room is taken: what is there will also talk more. */
const FULL_ABOVE_BUSY_SHARE = 0.85;

/** What recognition can take, and how much of it is taken. */
export interface LoadSource {
  /** Connected speakers of all kinds. */
  readonly speakers: number;
  readonly maxSpeakers: number;
  readonly maxRooms: number;
  /** Share of the recognisers' time that decoding takes, 0 to 1. */
  readonly busyShare: number;
  /** Whether recognition runs at all. */
  readonly isHealthy: boolean;
}

export interface CaptionerRegistryOptions {
  readonly startCaptioner: StartCaptioner;
  readonly load: () => LoadSource;
  /** Default 15 s. */
  readonly reservationLimitMs?: number;
}

/** The one place that knows which rooms this process captions. `close` stops them all. */
export class CaptionerRegistry implements RoomCaptioners {
  readonly #options: CaptionerRegistryOptions;
  readonly #reserved = new Map<RoomName, NodeJS.Timeout>();
  readonly #captioners = new Map<RoomName, Captioner>();
  #closing: Promise<void> | undefined;

  constructor(options: CaptionerRegistryOptions) {
    this.#options = options;
  }

  get captioners(): readonly Captioner[] {
    return [...this.#captioners.values()];
  }

  captionerOf(room: RoomName): Captioner | undefined {
    return this.#captioners.get(room);
  }

  get load(): number {
    if (this.#closing !== undefined) return 1;
    const { speakers, maxSpeakers, maxRooms, busyShare, isHealthy } = this.#options.load();
    if (!isHealthy) return 1;
    // Rooms that are promised or still empty count as if people talked there.
    const silentRooms = this.captioners.filter(({ speakerCount }) => speakerCount === 0).length;
    const promisedSpeakers = (this.#reserved.size + silentRooms) * SPEAKERS_OF_A_NEW_ROOM;
    const rooms = this.#reserved.size + this.#captioners.size;
    return Math.min(
      1,
      Math.max(
        (speakers + promisedSpeakers) / maxSpeakers,
        rooms / maxRooms,
        busyShare / FULL_ABOVE_BUSY_SHARE,
      ),
    );
  }

  reserve(room: RoomName): Reservation | ReservationRefusal {
    if (this.#closing !== undefined) return 'closing';
    if (this.#captioners.has(room) || this.#reserved.has(room)) return 'captioned_here';
    if (this.load >= 1) return 'full';
    const timer = setTimeout(
      () => this.#reserved.delete(room),
      this.#options.reservationLimitMs ?? RESERVATION_LIMIT_MS,
    );
    timer.unref();
    this.#reserved.set(room, timer);
    let isOver = false;
    const release = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (this.#reserved.get(room) === timer) this.#reserved.delete(room);
    };
    return {
      room,
      release,
      start: (request) => {
        release();
        return this.#captioners.get(room) ?? this.#start({ room, ...request });
      },
    };
  }

  close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#closing ??= this.#stopAll(deadlineMs);
    return this.#closing;
  }

  #start(request: CaptionerRequest): Captioner {
    const captioner = this.#options.startCaptioner(request);
    this.#captioners.set(request.room, captioner);
    detached(
      'end of a captioner',
      captioner.ended.then(() => this.#captioners.delete(request.room)),
    );
    return captioner;
  }

  async #stopAll(deadlineMs: number): Promise<void> {
    for (const timer of this.#reserved.values()) clearTimeout(timer);
    this.#reserved.clear();
    await Promise.all(this.captioners.map((captioner) => captioner.stop({ deadlineMs })));
  }
}
