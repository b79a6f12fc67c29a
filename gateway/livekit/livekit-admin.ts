import {
  type AgentDispatch,
  DataPacket_Kind,
  type ParticipantInfo,
  type Room as RoomInfo,
} from '@livekit/protocol';
import { AgentDispatchClient, type ClientOptions, RoomServiceClient } from 'livekit-server-sdk';
import { CaptionError, errorMessage, type ParticipantIdentity, type RoomName } from '../../protocol/index.js';

/** The server itself needs 3 s to find out that no node has a room. */
const DEADLINE_MS = 4000;
const SCHEMES: ReadonlyMap<string, string> = new Map([
  ['http:', 'http:'],
  ['ws:', 'http:'],
  ['https:', 'https:'],
  ['wss:', 'https:'],
]);
/** What the server says when no node answers for a room: it does not exist, or not any more. */
const NO_NODE_HAS_IT = 'no response from servers';

export interface LiveKitAdminOptions {
  /** `ws://…`, `wss://…`, `http://…` or `https://…` */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Of each call. Default 4 s. */
  readonly deadlineMs?: number;
}

/** Gives up waiting for a call; rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** One participant of one room. */
export interface ParticipantPlace {
  readonly room: RoomName;
  readonly identity: ParticipantIdentity;
}

/**
 * The server's API, as far as it is used: every call has a deadline and throws CaptionError `livekit_unreachable` (retryable),
 * `livekit_unauthorised`, `livekit_room_missing` (no such room or participant), `livekit_refused`, or the signal's reason.
 * Holds nothing that would have to be closed.
 */
export class LiveKitAdmin {
  readonly #url: string;
  readonly #deadlineMs: number;
  readonly #rooms: RoomServiceClient;
  readonly #dispatches: AgentDispatchClient;

  /** Throws CaptionError `livekit_url_invalid`. */
  constructor(options: LiveKitAdminOptions) {
    const { url, apiKey, apiSecret, deadlineMs = DEADLINE_MS } = options;
    this.#url = url;
    this.#deadlineMs = deadlineMs;
    // Failover asks a service of LiveKit Cloud for other regions.
    const client: ClientOptions = { requestTimeout: Math.ceil(deadlineMs) / 1000, failover: false };
    const address = apiAddress(url);
    this.#rooms = belowPath(new RoomServiceClient(address, apiKey, apiSecret, client), address);
    this.#dispatches = belowPath(new AgentDispatchClient(address, apiKey, apiSecret, client), address);
  }

  listRooms(options?: CallOptions): Promise<readonly RoomInfo[]> {
    return this.#call(() => this.#rooms.listRooms(), options);
  }

  /** Undefined where there is no such room. */
  async findRoom(room: RoomName, options?: CallOptions): Promise<RoomInfo | undefined> {
    const rooms = await this.#call(() => this.#rooms.listRooms([room]), options);
    return rooms.find(({ name }) => name === room);
  }

  /** In place of all that was there. Throws `livekit_room_missing` where there is no such room. */
  async setRoomMetadata(room: RoomName, metadata: string, options?: CallOptions): Promise<void> {
    await this.#call(() => this.#rooms.updateRoomMetadata(room, metadata), options);
  }

  /** With hidden ones; none where there is no such room. */
  listParticipants(room: RoomName, options?: CallOptions): Promise<readonly ParticipantInfo[]> {
    return this.#call(() => this.#rooms.listParticipants(room), options);
  }

  getParticipant({ room, identity }: ParticipantPlace, options?: CallOptions): Promise<ParticipantInfo> {
    return this.#call(() => this.#rooms.getParticipant(room, identity), options);
  }

  listDispatches(room: RoomName, options?: CallOptions): Promise<readonly AgentDispatch[]> {
    return this.#call(() => this.#dispatches.listDispatch(room), options);
  }

  async deleteDispatch(dispatch: { room: RoomName; id: string }, options?: CallOptions): Promise<void> {
    await this.#call(() => this.#dispatches.deleteDispatch(dispatch.id, dispatch.room), options);
  }

  /** Reliable, to one participant; succeeds where there is no such participant. */
  async sendData(
    place: ParticipantPlace,
    data: { readonly topic: string; readonly bytes: Uint8Array },
    options?: CallOptions,
  ): Promise<void> {
    const { topic, bytes } = data;
    await this.#call(
      () =>
        this.#rooms.sendData(place.room, bytes, DataPacket_Kind.RELIABLE, {
          destinationIdentities: [place.identity],
          topic,
        }),
      options,
    );
  }

  /** Changes those that are named; an empty value removes one. Works for hidden participants too, with `roomAdmin` alone. */
  async setAttributes(
    { room, identity }: ParticipantPlace,
    attributes: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<void> {
    await this.#call(
      () => this.#rooms.updateParticipant(room, identity, { attributes: { ...attributes } }),
      options,
    );
  }

  async removeParticipant({ room, identity }: ParticipantPlace, options?: CallOptions): Promise<void> {
    await this.#call(() => this.#rooms.removeParticipant(room, identity), options);
  }

  /** The SDK takes no signal: a call that is given up ends unheard, at its deadline. */
  async #call<T>(start: () => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    const answer = start();
    let giveUp: (() => void) | undefined;
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
    try {
      return await Promise.race([answer, givenUp]);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#meaningOf(error);
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
    }
  }

  /** The server's texts may contain our token: they are not repeated where they do. */
  #meaningOf(error: unknown): CaptionError {
    const status = statusOf(error);
    const text = errorMessage(error);
    if (status === 401 || status === 403) {
      const why = /invalid API key/.test(text) ? 'it does not know this key' : 'signature, grants or time';
      return new CaptionError(
        'livekit_unauthorised',
        `LiveKit at ${this.#url} refuses LIVEKIT_API_KEY and LIVEKIT_API_SECRET (${why}). Check both, and the clocks.`,
      );
    }
    if (status === 404 || text.includes(NO_NODE_HAS_IT)) {
      return new CaptionError('livekit_room_missing', 'LiveKit knows no such room or participant.');
    }
    if (status !== undefined && status < 500 && status !== 429) {
      return new CaptionError('livekit_refused', `LiveKit refuses a request (HTTP ${status}): ${text}`);
    }
    return new CaptionError(
      'livekit_unreachable',
      `LiveKit at ${this.#url} cannot be reached: ${this.#transportProblem(error, status)}.`,
      { retryable: true, cause: error },
    );
  }

  #transportProblem(error: unknown, status: number | undefined): string {
    if (status !== undefined) return `HTTP status ${status}`;
    if (error instanceof Error && error.name === 'TimeoutError')
      return `no answer within ${this.#deadlineMs} ms`;
    // fetch itself says no more than "fetch failed".
    const { cause } = error instanceof Error ? error : {};
    return cause instanceof Error && cause.message !== '' ? cause.message : errorMessage(error);
  }
}

/** Where the API is. Throws CaptionError `livekit_url_invalid`. */
export function apiAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed === undefined ? undefined : SCHEMES.get(parsed.protocol);
  if (parsed === undefined || scheme === undefined || parsed.host === '') {
    throw new CaptionError(
      'livekit_url_invalid',
      `LIVEKIT_URL ${url} is no address of a LiveKit server; it looks like wss://livekit.example.`,
    );
  }
  return `${scheme}//${parsed.host}${parsed.pathname.replace(/\/+$/, '')}`;
}

/** The SDK asks at the root of the host, whatever the address: behind a proxy LiveKit may be below a path. */
function belowPath<Client extends object>(client: Client, address: string): Client {
  const { pathname } = new URL(address);
  if (pathname === '/') return client;
  const rpc: unknown = Reflect.get(client, 'rpc');
  if (typeof rpc !== 'object' || rpc === null || !('prefix' in rpc))
    throw new CaptionError(
      'livekit_url_invalid',
      'LIVEKIT_URL may have no path with this version of the SDK.',
    );
  rpc.prefix = `${pathname.replace(/\/+$/, '')}/twirp`;
  return client;
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}
