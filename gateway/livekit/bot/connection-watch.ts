import type { CaptionerEnd } from '../captioner-end.js';
import type { CaptionerTiming } from './captioner-host.js';
import { isHuman } from './participant-kinds.js';
import type { RtcRoom } from './rtc-room.js';

/** What ends one connection: the end of all, or `rejoin`, at once where `isUrgent`. */
export type ConnectionEnd = CaptionerEnd | { readonly kind: 'rejoin'; readonly isUrgent: boolean };

export interface ConnectionWatchOptions {
  readonly rtc: Pick<RtcRoom, 'isConnected' | 'participants'>;
  readonly timing: Pick<CaptionerTiming, 'leaveGraceMs' | 'nobodyCameMs' | 'mendMs'>;
  readonly end: (end: ConnectionEnd) => void;
}

/** Ends a connection to a room where nobody is left, and one that the SDK cannot mend. `close` when the connection has ended. */
export class ConnectionWatch {
  readonly #options: ConnectionWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
  }

  /** For the first time or again. Those who lost their connections too come back later. */
  connected(): void {
    this.#waitForPeople(this.#options.timing.nobodyCameMs);
  }

  peopleChanged(): void {
    // A lost connection shows nobody, which says nothing about who is there.
    if (this.#options.rtc.isConnected) this.#waitForPeople(this.#options.timing.leaveGraceMs);
  }

  /** The SDK tries to mend the connection. */
  lost(): void {
    this.#endAfter(this.#options.timing.mendMs, { kind: 'rejoin', isUrgent: false });
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #waitForPeople(waitMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#options.rtc.participants.some(isHuman)) this.#endAfter(waitMs, { kind: 'everybody_left' });
  }

  #endAfter(waitMs: number, end: ConnectionEnd): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#options.end(end), waitMs);
  }
}
