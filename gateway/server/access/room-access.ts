import { CaptionError, type ParticipantIdentity, type RoomName } from '../../../protocol/index.js';
import { machineClockMs } from '../../clock.js';

/** What LiveKit's server allows a participant now. */
export interface LiveKitRights {
  readonly maySubscribe: boolean;
  /** With a microphone. */
  readonly maySpeak: boolean;
}

/** What somebody wants to do. `administer`: with a token for the room's administrators. */
export type RoomAction = 'view' | 'speak' | 'write' | 'administer';

/** The token with which somebody wants it. */
export interface TokenInUse {
  readonly room: RoomName;
  readonly identity: ParticipantIdentity | undefined;
  readonly issuedAtMs: number | undefined;
  /** What it says itself. What a token never gave cannot be taken away from it. */
  readonly rights: LiveKitRights;
}

/** What a participant who is in the room is not allowed, and since when; `admittedAtMs`: since when they are in it. */
interface Restriction {
  readonly admittedAtMs: number;
  readonly subscribeTakenAtMs: number | undefined;
  readonly speakTakenAtMs: number | undefined;
}

const DEFAULT_MAX_ENTRIES = 10_000;

/**
 * What LiveKit's server took away from people while our bot was in their room: it removed them, took a permission away, or deleted
 * the room. Tokens made before that do not count any more for it, on any way into the gateway. They count again when the server lets
 * the participant back in or gives the permission back; tokens made afterwards were made by somebody who knew.
 */
export class RoomAccess {
  readonly #removedAtMs: NewestEntries<number>;
  readonly #deletedAtMs: NewestEntries<number>;
  readonly #restrictions: NewestEntries<Restriction>;
  readonly #watchers = new Set<(room: RoomName) => void>();
  readonly #now: () => number;

  constructor(options: { maxEntries?: number; now?: () => number } = {}) {
    const { maxEntries = DEFAULT_MAX_ENTRIES } = options;
    this.#removedAtMs = new NewestEntries(maxEntries);
    this.#deletedAtMs = new NewestEntries(maxEntries);
    this.#restrictions = new NewestEntries(maxEntries);
    this.#now = options.now ?? machineClockMs;
  }

  /** LiveKit's server removed them. */
  removed(room: RoomName, identity: ParticipantIdentity): void {
    this.#removedAtMs.set(keyOf(room, identity), this.#now());
    this.#tell(room);
  }

  /** LiveKit's server deleted the room: nobody is in it any more. */
  roomDeleted(room: RoomName): void {
    this.#deletedAtMs.set(room, this.#now());
    this.#tell(room);
  }

  /** They are in the room, with these rights: just now, again, or still. */
  admitted(room: RoomName, identity: ParticipantIdentity, rights: LiveKitRights): void {
    const key = keyOf(room, identity);
    const former = this.#restrictions.get(key);
    const nowMs = this.#now();
    this.#removedAtMs.delete(key);
    const isFree = rights.maySubscribe && rights.maySpeak;
    if (isFree && this.#deletedAtMs.get(room) === undefined) {
      this.#restrictions.delete(key);
      return;
    }
    const { subscribeTakenAtMs = nowMs, speakTakenAtMs = nowMs } = former ?? {};
    this.#restrictions.set(key, {
      admittedAtMs: nowMs,
      subscribeTakenAtMs: rights.maySubscribe ? undefined : subscribeTakenAtMs,
      speakTakenAtMs: rights.maySpeak ? undefined : speakTakenAtMs,
    });
    const isNews =
      (!rights.maySubscribe && former?.subscribeTakenAtMs === undefined) ||
      (!rights.maySpeak && former?.speakTakenAtMs === undefined);
    if (isNews) this.#tell(room);
  }

  /** Throws CaptionError `access_withdrawn`. */
  check(token: TokenInUse, action: RoomAction): void {
    const { room, identity, rights } = token;
    const key = identity === undefined ? undefined : keyOf(room, identity);
    const isOld = (sinceMs: number | undefined): boolean => isOlder(token, sinceMs);
    if (key !== undefined && isOld(this.#removedAtMs.get(key)))
      throw withdrawn("LiveKit's server removed this participant from the room.");
    // Who may administer a room may also look after what is left of it.
    if (action === 'administer') return;
    const restriction = key === undefined ? undefined : this.#restrictions.get(key);
    const needsSubscribe = action !== 'speak' && rights.maySubscribe;
    const needsSpeak = action !== 'view' && rights.maySpeak;
    if (needsSubscribe && isOld(restriction?.subscribeTakenAtMs))
      throw withdrawn("LiveKit's server does not let this participant subscribe any more.");
    if (needsSpeak && isOld(restriction?.speakTakenAtMs))
      throw withdrawn("LiveKit's server does not let this participant speak any more.");
    const deletedAtMs = this.#deletedAtMs.get(room);
    if (deletedAtMs === undefined || (restriction?.admittedAtMs ?? -Infinity) >= deletedAtMs) return;
    if (isOld(deletedAtMs)) throw withdrawn("LiveKit's server deleted this room.");
  }

  /** Calls `changed` after rights were taken away in a room. The result ends it. */
  watch(changed: (room: RoomName) => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #tell(room: RoomName): void {
    for (const changed of [...this.#watchers]) changed(room);
  }
}

/** The last `max` entries that were set: what is older than so many withdrawals is forgotten. */
class NewestEntries<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#max && oldest.done !== true) this.#entries.delete(oldest.value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** A token that does not say when it was made counts as old. Times in tokens are whole seconds, rounded down. */
const isOlder = ({ issuedAtMs }: TokenInUse, sinceMs: number | undefined): boolean =>
  sinceMs !== undefined && (issuedAtMs === undefined || issuedAtMs < sinceMs);

const withdrawn = (reason: string): CaptionError =>
  new CaptionError('access_withdrawn', `${reason} A token that is made from now on counts again.`);

const keyOf = (room: RoomName, identity: ParticipantIdentity): string => JSON.stringify([room, identity]);
