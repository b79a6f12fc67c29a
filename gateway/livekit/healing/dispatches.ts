import type { AgentDispatch } from '@livekit/protocol';
import { CaptionError, errorMessage, type RoomName } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import type { LiveKitAdmin } from '../livekit-admin.js';

/** A dispatch reaches a worker at once; this is for those that reached none. */
const KNOWN_FOR_MS = 5000;

export interface DispatchesOptions {
  readonly admin: Pick<LiveKitAdmin, 'listDispatches' | 'deleteDispatch'>;
  readonly agentName: string;
  readonly log: Logger;
  /** Default 5 s. */
  readonly knownForMs?: number;
}

interface KnownDispatches {
  readonly list: readonly AgentDispatch[];
  readonly untilMs: number;
}

/** The dispatches of rooms for our agent name, asked for every 5 s at most; the server is their memory. */
export class Dispatches {
  readonly #options: DispatchesOptions;
  readonly #known = new Map<RoomName, KnownDispatches>();
  /** Rooms whose bot was removed and whose dispatches are still to be taken back, with the one it had answered. */
  readonly #removedFrom = new Map<RoomName, { readonly answeredId: string | undefined }>();
  /** Taken back, should the server list them still. */
  readonly #spent = new Map<RoomName, ReadonlySet<string>>();

  constructor(options: DispatchesOptions) {
    this.#options = options;
  }

  /** The newest one that asks for captions in `room`. Throws what LiveKitAdmin does. */
  async newestOf(room: RoomName, signal: AbortSignal): Promise<AgentDispatch | undefined> {
    if (this.#removedFrom.has(room)) await this.#takeBack(room, signal);
    const known = this.#known.get(room);
    const list =
      known !== undefined && performance.now() < known.untilMs ? known.list : await this.#ask(room, signal);
    return this.#newestStanding(room, list);
  }

  /** The same, asked now. */
  async newestNow(room: RoomName, signal: AbortSignal): Promise<AgentDispatch | undefined> {
    this.#known.delete(room);
    return this.newestOf(room, signal);
  }

  /**
   * The bot, who had answered the dispatch `answeredId`, was removed. Where somebody deleted that dispatch, others still stand;
   * otherwise nobody wants captions here until the next one: all are deleted, which tells other gateways, too.
   */
  async botRemoved(room: RoomName, answeredId: string | undefined, signal: AbortSignal): Promise<void> {
    this.#removedFrom.set(room, { answeredId });
    try {
      await this.#takeBack(room, signal);
    } catch (error) {
      // It is tried again before the room is looked at.
      if (!signal.aborted)
        this.#options.log.debug({ room, error: errorMessage(error) }, 'dispatch not taken back yet');
    }
  }

  forget(room: RoomName): void {
    this.#known.delete(room);
    this.#spent.delete(room);
    this.#removedFrom.delete(room);
  }

  async #takeBack(room: RoomName, signal: AbortSignal): Promise<void> {
    const removed = this.#removedFrom.get(room);
    if (removed === undefined) return;
    const { admin } = this.#options;
    const list = await this.#ask(room, signal);
    const isDeletedAlready =
      removed.answeredId !== undefined && !list.some(({ id }) => id === removed.answeredId);
    if (!isDeletedAlready) {
      this.#spent.set(room, new Set(list.map(({ id }) => id)));
      for (const { id } of list) await admin.deleteDispatch({ room, id }, { signal }).catch(unlessMissing);
    }
    this.#removedFrom.delete(room);
  }

  #newestStanding(room: RoomName, list: readonly AgentDispatch[]): AgentDispatch | undefined {
    const spent = this.#spent.get(room);
    return list.find(({ id }) => spent?.has(id) !== true);
  }

  async #ask(room: RoomName, signal: AbortSignal): Promise<readonly AgentDispatch[]> {
    const { admin, agentName, knownForMs = KNOWN_FOR_MS } = this.#options;
    const all = await admin.listDispatches(room, { signal });
    const list = all.filter((dispatch) => dispatch.agentName === agentName).sort(newestFirst);
    // Rooms that were asked about together are not all due together again.
    this.#known.set(room, { list, untilMs: performance.now() + knownForMs * (0.7 + 0.6 * Math.random()) });
    return list;
  }
}

const newestFirst = (a: AgentDispatch, b: AgentDispatch): number =>
  Number((b.state?.createdAt ?? 0n) - (a.state?.createdAt ?? 0n));

function unlessMissing(error: unknown): void {
  if (!(error instanceof CaptionError && error.code === 'livekit_room_missing')) throw error;
}
