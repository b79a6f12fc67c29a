import type { ParticipantIdentity, SegmentState } from '../../../protocol/index.js';
import type { RoadEvent } from './road.js';
import type { LaneQueue } from './send-lane.js';

/** With at most 3 bytes a character far below the 15 kB of a packet. */
export const MAX_PIECE_CHARS = 2000;
const MAX_WAITING_PIECES = 200;
/** Pieces that wait are joined as long as their words were told within this. */
const JOINED_MS = 2000;
/** How long words wait for a reader: people come back one by one after a server was restarted. */
export const HELD_MS = 10_000;

/** Some words of one speaker that will never change. */
export interface Piece {
  /** Segment and index of the first word, so that the same words have the same id whenever they are sent. */
  readonly id: string;
  /** Counts the pieces of a road. */
  readonly number: number;
  readonly told: SegmentState;
  readonly speaker: ParticipantIdentity;
  readonly trackSid: string;
  readonly language: string;
  readonly text: string;
  /** Unix epoch milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Monotonic. */
  readonly toldAtMs: number;
}

/** The piece that says both; undefined where they cannot be one. `id` and `number` are those of the first. */
export function joinPieces(first: Piece, second: Piece): Piece | undefined {
  const isSame = first.trackSid === second.trackSid && first.language === second.language;
  if (!isSame || second.toldAtMs - first.toldAtMs > JOINED_MS) return undefined;
  if (first.text.length + 1 + second.text.length > MAX_PIECE_CHARS) return undefined;
  return { ...first, text: `${first.text} ${second.text}`, endMs: second.endMs };
}

export interface PieceQueueOptions {
  readonly observe: (event: RoadEvent) => void;
  /** Whether those who come are shown what was said before. */
  readonly isHeldForReaders: () => boolean;
  /** Whether everybody who is there may see it: packets cannot be addressed. */
  readonly isForEverybody: (piece: Piece) => boolean;
}

/**
 * Pieces of one speaker in the order of speech. What waits is joined. What was sent already and may not have arrived goes
 * first and exactly as it was: receivers drop a piece whose id they know.
 */
export class PieceQueue implements LaneQueue<Piece> {
  readonly #options: PieceQueueOptions;
  #again: Piece[] = [];
  #waiting: Piece[] = [];
  /** There was nobody to read what waits. */
  #isUnread = false;

  constructor(options: PieceQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#again.length + this.#waiting.length;
  }

  add(piece: Piece): void {
    const last = this.#waiting.at(-1);
    const joined = last === undefined ? undefined : joinPieces(last, piece);
    if (joined === undefined) {
      this.#waiting.push(piece);
    } else {
      this.#waiting[this.#waiting.length - 1] = joined;
      this.#options.observe('merged');
    }
    if (this.#waiting.length <= MAX_WAITING_PIECES) return;
    this.#waiting.shift();
    this.#options.observe('dropped');
  }

  take(): Piece | undefined {
    if (this.#isUnread) this.#dropOld();
    this.#isUnread = false;
    for (;;) {
      const next = this.#again.shift() ?? this.#waiting.shift();
      if (next === undefined || this.#options.isForEverybody(next)) return next;
      this.#options.observe('dropped');
    }
  }

  putBack(piece: Piece): void {
    if (this.#again.some(({ number }) => number === piece.number)) return;
    this.#again = [...this.#again, piece].toSorted((a, b) => a.number - b.number);
  }

  lost(): void {
    // Its words are missing on this road.
  }

  unread(): void {
    this.#isUnread = true;
    if (this.#options.isHeldForReaders()) this.#dropOld();
    else this.clear();
  }

  clear(): void {
    this.#again = [];
    this.#waiting = [];
  }

  #dropOld(): void {
    const isFresh = ({ toldAtMs }: Piece): boolean => performance.now() - toldAtMs < HELD_MS;
    this.#again = this.#again.filter(isFresh);
    this.#waiting = this.#waiting.filter(isFresh);
  }
}
