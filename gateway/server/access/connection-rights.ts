import { type AccessMessage, CaptionError } from '../../../protocol/index.js';
import type { Authenticator, Permissions } from '../authentication.js';
import { toCaptionError } from '../websocket-closing.js';
import type { RoomAccess } from './room-access.js';
import { CLOCK_LEEWAY_MS, tokenExpired } from './token-claims.js';
import { machineClockMs } from '../../clock.js';

/** Timers hold no more than 24 days; a clock that is set is noticed within this. */
const LONGEST_WAIT_MS = 60_000;

export interface ConnectionRightsOptions {
  /** Those with which the connection was made. */
  readonly permissions: Permissions;
  readonly authenticator: Pick<Authenticator, 'read'>;
  readonly access: RoomAccess;
  /** Throws CaptionError where these do not allow what the connection is doing now. */
  readonly require: (permissions: Permissions) => void;
  readonly send: (message: AccessMessage) => void;
  /** The connection is to be closed, because of `error`. At most once. */
  readonly ended: (error: CaptionError) => void;
}

/** What a connection itself knows; the rest is the gateway's. */
export type OpenConnectionRights = (
  options: Omit<ConnectionRightsOptions, 'authenticator' | 'access'>,
) => ConnectionRights;

/**
 * What one connection may do for as long as it is open: until its token has ended, or what the token allows was taken away. A newer
 * token takes the place of the one before. `close` when the connection is gone.
 */
export class ConnectionRights {
  readonly #options: ConnectionRightsOptions;
  readonly #stopWatching: () => void;
  #permissions: Permissions;
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;
  #isOver = false;

  constructor(options: ConnectionRightsOptions) {
    this.#options = options;
    this.#permissions = options.permissions;
    this.#stopWatching = options.access.watch(() => this.#check());
    this.#waitForEnd();
  }

  get permissions(): Permissions {
    return this.#permissions;
  }

  /** Tells the client when its token ends. To be called when the connection has begun. */
  tell(): void {
    if (this.#permissions.expiresAtMs !== undefined) this.#send({});
  }

  /** The client hands over a newer token: answered by an `access` message. Never rejects. */
  async renew(token: string): Promise<void> {
    if (this.#isOver) return;
    if (this.#isRenewing) {
      this.#refuse(refusal('A token is being checked; wait for the answer before sending another one.'));
      return;
    }
    this.#isRenewing = true;
    try {
      const newer = await this.#options.authenticator.read(token);
      if (this.#hasEnded()) return;
      this.#take(newer);
      this.#send({});
    } catch (thrown) {
      if (!this.#hasEnded()) this.#refuse(toCaptionError(thrown));
    } finally {
      this.#isRenewing = false;
    }
  }

  /** Idempotent. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#stopWatching();
  }

  /** The former token keeps counting unless the newer one is as good. */
  #take(newer: Permissions): void {
    const former = this.#permissions;
    if (newer.owner?.identity !== former.owner?.identity)
      throw refusal('The token is for another identity than the one with which this connection was made.');
    if ((newer.expiresAtMs ?? Infinity) < (former.expiresAtMs ?? Infinity))
      throw refusal('The token ends before the one that counts now.');
    this.#options.require(newer);
    this.#permissions = newer;
    this.#waitForEnd();
  }

  #refuse({ code, message }: CaptionError): void {
    this.#send({ refusal: { code, message } });
  }

  #send(answer: Pick<AccessMessage, 'refusal'>): void {
    const { expiresAtMs } = this.#permissions;
    this.#options.send({ kind: 'access', ...(expiresAtMs === undefined ? {} : { expiresAtMs }), ...answer });
  }

  #waitForEnd(): void {
    clearTimeout(this.#timer);
    const { expiresAtMs } = this.#permissions;
    if (expiresAtMs === undefined || this.#isOver) return;
    const endsAtMs = expiresAtMs + CLOCK_LEEWAY_MS;
    const waitMs = Math.max(0, Math.min(endsAtMs - machineClockMs(), LONGEST_WAIT_MS));
    this.#timer = setTimeout(() => {
      if (machineClockMs() < endsAtMs) this.#waitForEnd();
      else this.#end(tokenExpired(expiresAtMs));
    }, waitMs);
    this.#timer.unref();
  }

  #check(): void {
    if (this.#isOver) return;
    try {
      this.#options.require(this.#permissions);
    } catch (thrown) {
      this.#end(toCaptionError(thrown));
    }
  }

  #end(error: CaptionError): void {
    if (this.#isOver) return;
    this.close();
    this.#options.ended(error);
  }

  /** It may have, while something was waited for. */
  #hasEnded(): boolean {
    return this.#isOver;
  }
}

const refusal = (message: string): CaptionError => new CaptionError('token_refused', message);
