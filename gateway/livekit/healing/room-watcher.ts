/**
 * Finds rooms that were asked to be captioned and are not, and captions them:
 *
 *   all rooms ──► with a dispatch for us ──► with people ──► whose captioner is …
 *                 (known for 5 s)                              here: nothing to do
 *                                                              another gateway's, alive (instance-liveness.ts): nothing to do
 *                                                              none of ours: nothing to do, presence is all we know
 *                                                              absent ──► still absent after 1.5 to 3 s ──────────► joined
 *                                                              a dead gateway's ──► claimed (ghost-claims.ts) ────► joined
 *
 * LiveKit gives a dispatch to a worker once, when it is created, and never again (livekit/agents#1472). Two gateways may join
 * one room all the same: the later one stays, and the earlier one, superseded, leaves it alone while that one is there.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { ParticipantInfo, Room as RoomInfo } from '@livekit/protocol';
import { CaptionError, errorMessage, roomName, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { CaptionerEnd } from '../captioner-end.js';
import type { CaptionerRequest } from '../captioner.js';
import type { LiveKitAdmin } from '../livekit-admin.js';
import type { RoomCaptioners } from '../room-captioners.js';
import { botIdentity } from '../tokens.js';
import { Bounded } from './bounded.js';
import type { CaptionerLock } from './captioner-lock.js';
import { Dispatches } from './dispatches.js';
import { GhostClaims } from './ghost-claims.js';
import { InstanceLiveness, type LivenessTiming } from './instance-liveness.js';
import { pause } from '../../pause.js';
import { captionerIn, type CaptionerPresence, firstHumanSinceMs } from './presence.js';
import { RoomRecord } from './room-record.js';
import { machineClockMs } from '../../clock.js';
import { detached } from '../../../asr/detached.js';

const PARALLEL_CALLS = 8;
/** Gateways that replace a dead one share its rooms: each takes some at a time. */
const PARALLEL_JOINS = 4;

/** Only tests want other values. In milliseconds. */
export interface WatcherTiming {
  /** How long a room must be without a captioner: a worker may be about to join. */
  readonly confirmMs: number;
  /** On top, differently for each gateway and room, so that not all join at once. */
  readonly spreadMs: number;
  /** How often a room with a living captioner is looked at. */
  readonly relookMs: number;
}

export const DEFAULT_WATCHER_TIMING: WatcherTiming = { confirmMs: 1500, spreadMs: 1500, relookMs: 4000 };

/** Why a room had no captioner. */
export type HealCause = 'captioner_absent' | 'gateway_died';

export interface RoomWatcherOptions {
  readonly admin: LiveKitAdmin;
  readonly captioners: RoomCaptioners;
  readonly lock: CaptionerLock;
  /** For the captioners: `ws://…` or `wss://…`. */
  readonly url: string;
  readonly agentName: string;
  readonly instance: string;
  readonly mintToken: (room: RoomName) => Promise<string>;
  readonly observer: { healed(cause: HealCause): void };
  readonly log: Logger;
  /** Between two looks at all rooms, with jitter; 0 for never. */
  readonly intervalMs: number;
  readonly timing?: Partial<WatcherTiming>;
  readonly livenessTiming?: Partial<LivenessTiming>;
}

/** What is found in a room that has a dispatch and people. */
type Finding =
  | { readonly kind: 'captioned' | 'nobody_there' }
  | { readonly kind: 'absent'; readonly missedSinceMs: number | undefined }
  | {
      readonly kind: 'dead';
      readonly ghost: CaptionerPresence;
      readonly missedSinceMs: number | undefined;
    };

export class RoomWatcher {
  readonly liveness: InstanceLiveness;
  readonly #options: RoomWatcherOptions;
  readonly #timing: WatcherTiming;
  readonly #dispatches: Dispatches;
  readonly #claims: GhostClaims;
  readonly #closing = new AbortController();
  readonly #records = new Map<RoomName, RoomRecord>();
  readonly #joins = new Bounded(PARALLEL_JOINS);
  readonly #running: Promise<void>;
  /** Of the last look at all rooms; undefined when it went well. */
  #troubleCode: string | undefined;
  #looks = 0;

  /** Begins at once. */
  constructor(options: RoomWatcherOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_WATCHER_TIMING, ...options.timing };
    const { admin, agentName, instance, log } = options;
    // Every call that is under way listens.
    setMaxListeners(0, this.#closing.signal);
    this.#dispatches = new Dispatches({ admin, agentName, log });
    this.#claims = new GhostClaims({ admin, agentName, instance, signal: this.#closing.signal });
    this.liveness = new InstanceLiveness({
      admin,
      agentName,
      log,
      died: (dead, rooms) => this.#gatewayDied(dead, rooms),
      ...(options.livenessTiming === undefined ? {} : { timing: options.livenessTiming }),
    });
    this.#running = options.intervalMs === 0 ? Promise.resolve() : this.#run();
  }

  /** How often all rooms were looked at. */
  get looks(): number {
    return this.#looks;
  }

  /** To be called for every captioner of this process, whoever started it. */
  captionerEnded(room: RoomName, end: CaptionerEnd): void {
    if (this.#closing.signal.aborted) return;
    this.#records.get(room)?.captionerEnded(end);
  }

  /** To be called at once when the bot of a captioner was removed: others would join while it finishes. */
  captionerRemoved({ room, dispatchId }: Pick<CaptionerRequest, 'room' | 'dispatchId'>): void {
    if (this.#closing.signal.aborted) return;
    detached('healing of a room', this.#dispatches.botRemoved(room, dispatchId, this.#closing.signal));
  }

  /** Idempotent; resolves when nothing is started any more. */
  async close(): Promise<void> {
    this.#closing.abort(new CaptionError('shutting_down', 'The watcher was closed.'));
    this.liveness.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { intervalMs } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#lookAtAll().then(
        () => this.#looked(undefined),
        (error: unknown) => this.#looked(error),
      );
      await pause(intervalMs * (0.75 + 0.5 * Math.random()), signal);
    }
  }

  /** One line for each change. */
  #looked(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    const code =
      error === undefined ? undefined : error instanceof CaptionError ? error.code : 'internal_error';
    if (code === this.#troubleCode) return;
    this.#troubleCode = code;
    if (code === undefined) this.#options.log.info('rooms without a captioner are looked for again');
    else
      this.#options.log.warn(
        { code, error: errorMessage(error) },
        'rooms without a captioner cannot be looked for',
      );
  }

  async #lookAtAll(): Promise<void> {
    const { signal } = this.#closing;
    const rooms = await this.#options.admin.listRooms({ signal });
    this.#forgetAllBut(new Set(rooms.map(({ name }) => roomName(name))));
    const calls = new Bounded(PARALLEL_CALLS);
    const troubles: unknown[] = [];
    await Promise.all(
      rooms.map((room) =>
        calls.run(async () => {
          // Who has asked the server in vain once does not ask it about hundreds of rooms.
          if (troubles.length > 0 || signal.aborted) return;
          try {
            await this.#lookAt(room, signal);
          } catch (error) {
            // A room may be closed just now.
            if (!(error instanceof CaptionError && error.code === 'livekit_room_missing'))
              troubles.push(error);
          }
        }),
      ),
    );
    if (troubles.length > 0) throw troubles[0];
    this.#looks += 1;
  }

  async #lookAt({ name, sid }: RoomInfo, signal: AbortSignal): Promise<void> {
    const room = roomName(name);
    const record = this.#recordOf(room, sid);
    const captioner = this.#options.captioners.captionerOf(room);
    if (captioner !== undefined) {
      if (captioner.isConnected) record.captionedHere();
      this.liveness.seen(room, undefined);
      return;
    }
    if (record.isBusy || !record.isDue(this.liveness)) return;
    if ((await this.#dispatches.newestOf(room, signal)) === undefined) {
      record.nobodyThere();
      return;
    }
    const finding = await this.#inspect(record, signal);
    if (finding.kind === 'absent') detached('healing of a room', this.#heal(record, 'captioner_absent'));
    if (finding.kind === 'dead') detached('healing of a room', this.#heal(record, 'gateway_died'));
  }

  /** Who captions the room, asked now. */
  async #inspect(record: RoomRecord, signal: AbortSignal): Promise<Finding> {
    const { admin, agentName, instance: ownInstance } = this.#options;
    const { room } = record;
    const participants = await admin.listParticipants(room, { signal });
    const captioner = captionerIn(participants, botIdentity(agentName, room));
    const instance = captioner?.instance === ownInstance ? undefined : captioner?.instance;
    this.liveness.seen(room, instance);
    if (firstHumanSinceMs(participants) === undefined) {
      record.nobodyThere();
      return { kind: 'nobody_there' };
    }
    if (captioner !== undefined && instance !== undefined && record.isDead(instance, this.liveness)) {
      const lastAliveMs = this.liveness.lastAliveMs(instance);
      return { kind: 'dead', ghost: captioner, missedSinceMs: missedSince(lastAliveMs, participants) };
    }
    // A bot of ours that no captioner stands for is on its way out.
    if (captioner === undefined || captioner.instance === ownInstance) {
      return { kind: 'absent', missedSinceMs: missedSince(record.lastCaptionedMs, participants) };
    }
    record.captionedElsewhere(instance, this.#timing.relookMs);
    return { kind: 'captioned' };
  }

  #gatewayDied(instance: string, rooms: readonly RoomName[]): void {
    // Each gateway in an order of its own: so they share the rooms.
    const order = new Map(rooms.map((room) => [room, placeOf(this.#options.instance, room)]));
    const sorted = [...rooms].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    for (const room of sorted) {
      const record = this.#records.get(room);
      if (record?.captioner !== instance || record.isBusy) continue;
      detached('healing of a room', this.#heal(record, 'gateway_died'));
    }
  }

  /** Never rejects. */
  async #heal(record: RoomRecord, cause: HealCause): Promise<void> {
    const { instance, log } = this.#options;
    if (record.isBusy) return;
    record.isBusy = true;
    try {
      if (cause === 'captioner_absent') {
        const { confirmMs, spreadMs } = this.#timing;
        await pause(confirmMs + spreadMs * placeOf(instance, record.room), this.#closing.signal);
      }
      await this.#joins.run(() => this.#join(record, cause));
    } catch (error) {
      if (!this.#closing.signal.aborted)
        log.debug({ room: record.room, error: errorMessage(error) }, 'room not joined');
    } finally {
      record.isBusy = false;
    }
  }

  /** Throws what LiveKitAdmin does. */
  async #join(record: RoomRecord, cause: HealCause): Promise<void> {
    const { captioners, lock, url, mintToken, log, observer } = this.#options;
    const { signal } = this.#closing;
    const { room } = record;
    if (signal.aborted || this.#records.get(room) !== record) return;
    const reservation = captioners.reserve(room);
    if (typeof reservation === 'string') return;
    let isStarted = false;
    try {
      if (!(await lock.acquire(room))) return;
      // It may have been taken back by now, and this is how one gateway learns that another one's bot was removed.
      const dispatch = await this.#dispatches.newestNow(room, signal);
      if (dispatch === undefined) return;
      const finding = await this.#inspect(record, signal);
      if (finding.kind !== 'absent' && finding.kind !== 'dead') return;
      if (finding.kind === 'dead' && !(await this.#claims.claim(room, finding.ghost))) return;
      const token = await mintToken(room);
      signal.throwIfAborted();
      const { missedSinceMs } = finding;
      isStarted = true;
      reservation.start({
        url,
        token,
        dispatchMetadata: dispatch.metadata,
        dispatchId: dispatch.id,
        ...(missedSinceMs === undefined ? {} : { missedSinceMs }),
      });
      this.liveness.seen(room, undefined);
      observer.healed(cause);
      log.info({ room, cause, missedSinceMs }, 'room without a captioner found');
    } finally {
      if (!isStarted) {
        reservation.release();
        lock.release(room);
      }
    }
  }

  #recordOf(room: RoomName, sid: string): RoomRecord {
    const known = this.#records.get(room);
    if (known?.sid === sid) return known;
    // Another meeting of the same name.
    if (known !== undefined) this.#forget(room);
    const record = new RoomRecord(room, sid);
    this.#records.set(room, record);
    return record;
  }

  #forgetAllBut(rooms: ReadonlySet<RoomName>): void {
    for (const room of this.#records.keys()) if (!rooms.has(room)) this.#forget(room);
  }

  #forget(room: RoomName): void {
    this.#records.delete(room);
    this.#dispatches.forget(room);
    this.#claims.forget(room);
    this.liveness.seen(room, undefined);
  }
}

/** A number from 0 to 1 that differs from gateway to gateway and from room to room. */
function placeOf(instance: string, room: RoomName): number {
  return createHash('sha256').update(`${instance}/${room}`).digest().readUInt32BE() / 2 ** 32;
}

/** Nothing is missed before there is somebody to speak. */
function missedSince(
  lastCaptionedMs: number | undefined,
  participants: readonly ParticipantInfo[],
): number | undefined {
  const firstHumanMs = firstHumanSinceMs(participants);
  if (lastCaptionedMs === undefined || firstHumanMs === undefined) return undefined;
  return Math.min(machineClockMs(), Math.max(lastCaptionedMs, firstHumanMs));
}
