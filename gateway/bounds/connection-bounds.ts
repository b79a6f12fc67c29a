import { CaptionError, type RoomName } from '../../protocol/index.js';
import type { TokenOwner } from '../server/access/token-owner.js';
import { KeptByClient } from './kept-by-client.js';
import { RateLimit } from './rate-limit.js';

/** Whose connection it is. */
export interface ConnectionClient {
  /** From the access token; undefined where there is none, or where it names nobody. */
  readonly owner: TokenOwner | undefined;
  readonly address: string;
  /** Undefined while it is not known yet. */
  readonly room: RoomName | undefined;
}

export interface ConnectionBoundsOptions {
  readonly perIdentity: number;
  readonly perRoom: number;
}

/** Of clients without an identity: without keys these are programs on this machine. */
const PER_ADDRESS = 2000;
/** A client whose connection is refused again and again tries it some four times a second. */
const OPENINGS = { burst: 40, perSecond: 4 };

/** The client in one room, for limits that are kept; undefined where no token vouches for it. */
export const clientKey = ({ owner, room }: Omit<ConnectionClient, 'address'>): string | undefined =>
  owner === undefined ? undefined : JSON.stringify([owner.identity, room]);

/** How many connections there may be at an endpoint: of one identity in one room, in the room, and of one address. `close` it. */
export class ConnectionBounds {
  readonly #options: ConnectionBoundsOptions;
  readonly #counts = new Map<string, number>();
  readonly #openings = new KeptByClient(() => new RateLimit(OPENINGS));

  constructor(options: ConnectionBoundsOptions) {
    this.#options = options;
  }

  /** One more connection, until the result is called (once or more). Throws CaptionError `too_many_connections`. */
  enter(client: ConnectionClient): () => void {
    const { perIdentity, perRoom } = this.#options;
    const identity = clientKey(client);
    if (!this.#openings.of(identity).tryTake())
      throw tooMany('This identity connects too often; wait a moment.');
    const places = [
      identity === undefined
        ? { key: `address ${client.address}`, max: PER_ADDRESS, whose: 'this address' }
        : { key: `identity ${identity}`, max: perIdentity, whose: 'this identity' },
      ...(client.room === undefined
        ? []
        : [{ key: `room ${client.room}`, max: perRoom, whose: 'this room' }]),
    ];
    for (const { key, max, whose } of places)
      if ((this.#counts.get(key) ?? 0) >= max)
        throw tooMany(`There are ${max} connections of ${whose} already.`);
    for (const { key } of places) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let isThere = true;
    return () => {
      if (isThere) for (const { key } of places) this.#leave(key);
      isThere = false;
    };
  }

  close(): void {
    this.#openings.close();
  }

  #leave(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left === 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }
}

const tooMany = (message: string): CaptionError =>
  new CaptionError('too_many_connections', message, { retryable: true });
