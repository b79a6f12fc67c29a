import type { IncomingMessage, ServerResponse } from 'node:http';
import { CaptionError, MAX_NAME_CHARS, type RoomName, roomName } from '../../protocol/index.js';
import type { CaptionPosts } from '../captioner/caption-posts.js';
import { clientKey } from '../bounds/connection-bounds.js';
import { KeptByClient } from '../bounds/kept-by-client.js';
import { RateLimit } from '../bounds/rate-limit.js';
import type { RefusalLog } from '../bounds/refusal-log.js';
import type { Authenticator } from './authentication.js';
import { sendError, sendJson } from './http-answers.js';
import type { OriginPolicy } from './origin-policy.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import { listRooms } from './room-list.js';
import type { RoomRequest, TranscriptRequests } from './transcript-requests.js';

const LIST_PATH = '/v1/rooms';
const ROOM_PATH = /^\/v1\/rooms\/([^/]+)\/(.+?)\/?$/;
const TRANSCRIPT_FILE = /^transcript\.([a-z]+)$/;
/** Of one token's owner, whatever room they ask about; a captioner's tool posts each sentence. */
const REQUESTS = { burst: 100, perSecond: 50 };
const APPENDED_QUERY = /^(\/v1\/rooms\/[^/]+\/captions(?:\/seq)?)\/?&(.*)$/;
const PREFLIGHT_MAX_AGE_S = '600';

export interface RoomRequestsOptions {
  readonly authenticator: Authenticator;
  readonly origins: OriginPolicy;
  readonly rooms: RoomRegistry;
  readonly transcripts: TranscriptRequests;
  readonly posts: CaptionPosts;
  /** The public keys that captions of a LiveKit room are signed with. Throws CaptionError. */
  readonly keysOf: (room: RoomName) => Promise<readonly string[]>;
  readonly refusals: RefusalLog;
}

/** Who asks, for what, and where the answer goes. */
interface Exchange extends Omit<RoomRequest, 'room'> {
  readonly incoming: IncomingMessage;
}

interface Address {
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Route {
  readonly methods: readonly string[];
  /** Caption tools are given an address and nothing else: their token is in it. */
  readonly takesTokenInAddress?: boolean;
  readonly answer: (exchange: Exchange) => Promise<void> | void;
}

/** `/v1/rooms`: which rooms are live. `/v1/rooms/{room}/…`: what can be asked about one room. */
export class RoomRequests {
  readonly #options: RoomRequestsOptions;
  readonly #limits = new KeptByClient(() => new RateLimit(REQUESTS));

  constructor(options: RoomRequestsOptions) {
    this.#options = options;
  }

  /** False when the address is none of these. */
  async answer(url: URL, exchange: { request: IncomingMessage; response: ServerResponse }): Promise<boolean> {
    const { request, response } = exchange;
    const { path, query } = addressOf(request, url);
    const routes = this.#routesAt(path);
    if (routes === undefined) return false;
    try {
      this.#options.origins.check(request);
      await this.#dispatch(routes, query, { request, response });
    } catch (thrown) {
      this.#options.refusals.refused(sendError(response, thrown), LIST_PATH);
    }
    return true;
  }

  close(): void {
    this.#limits.close();
  }

  async #dispatch(
    routes: readonly Route[],
    query: URLSearchParams,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ): Promise<void> {
    const methods = routes.flatMap((route) => route.methods);
    if (methods.length === 0) throw new CaptionError('not_found', 'There is nothing at this address.');
    allowOrigin(request, response, methods);
    const { method = 'GET' } = request;
    if (method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    const route = routes.find((candidate) => candidate.methods.includes(method));
    if (route === undefined) {
      response.setHeader('Allow', methods.join(', '));
      sendJson(response, 405, { code: 'method_not_allowed', message: `Use ${methods.join(' or ')}.` });
      return;
    }
    const inAddress = route.takesTokenInAddress === true ? query.get('access_token') : null;
    const permissions = await this.#options.authenticator.authenticate(request, inAddress ?? undefined);
    if (!this.#limits.of(clientKey({ owner: permissions.owner, room: permissions.room })).tryTake())
      throw new CaptionError('messages_too_fast', 'More requests than are answered; slow down.', {
        retryable: true,
      });
    await route.answer({ query, permissions, response, isHead: method === 'HEAD', incoming: request });
  }

  async #tellKeys({ room, permissions, response }: RoomRequest): Promise<void> {
    permissions.requireView(room);
    sendJson(response, 200, { room, keys: await this.#options.keysOf(room) });
  }

  /** Undefined when the address is none of these, and empty when there is nothing at it. */
  #routesAt(path: string): readonly Route[] | undefined {
    if (path === LIST_PATH) {
      const { rooms } = this.#options;
      return [
        {
          methods: ['GET', 'HEAD'],
          answer: ({ permissions, response }) => sendJson(response, 200, listRooms(rooms.rooms, permissions)),
        },
      ];
    }
    const [, room, rest = ''] = ROOM_PATH.exec(path) ?? [];
    return room === undefined ? undefined : this.#routesOf(room, rest);
  }

  #routesOf(encoded: string, rest: string): readonly Route[] {
    const { transcripts, posts } = this.#options;
    const inRoom = (exchange: Exchange): RoomRequest => ({ room: decodeRoom(encoded), ...exchange });
    const extension = TRANSCRIPT_FILE.exec(rest)?.[1];
    if (extension !== undefined) {
      return [
        {
          methods: ['GET', 'HEAD'],
          answer: (exchange) => transcripts.download(inRoom(exchange), extension),
        },
      ];
    }
    switch (rest) {
      case 'key':
        return [{ methods: ['GET', 'HEAD'], answer: (exchange) => this.#tellKeys(inRoom(exchange)) }];
      case 'transcript':
        return [{ methods: ['DELETE'], answer: (exchange) => transcripts.remove(inRoom(exchange)) }];
      case 'meetings':
        return [{ methods: ['GET', 'HEAD'], answer: (exchange) => transcripts.list(inRoom(exchange)) }];
      case 'captions':
        return [
          {
            methods: ['POST'],
            takesTokenInAddress: true,
            answer: (exchange) => posts.post(inRoom(exchange), exchange.incoming),
          },
        ];
      case 'captions/seq':
        return [
          {
            methods: ['GET'],
            takesTokenInAddress: true,
            answer: (exchange) => posts.tellSeq(inRoom(exchange)),
          },
        ];
      default:
        return [];
    }
  }
}

/**
 * What is asked for. The path is as it was sent, since a room may be called "." or "..", which URL parsers remove, percent-encoded or
 * not. Tools of captioners put `&seq=1` behind any address: behind one without a query it is the query all the same.
 */
function addressOf({ url: target = '' }: IncomingMessage, url: URL): Address {
  const sent = target.startsWith('/') ? (target.split(/[?#]/, 1)[0] ?? '') : url.pathname;
  const [, path, appended] = APPENDED_QUERY.exec(sent) ?? [];
  if (path === undefined || appended === undefined) return { path: sent, query: url.searchParams };
  return { path, query: new URLSearchParams([...url.searchParams, ...new URLSearchParams(appended)]) };
}

function decodeRoom(encoded: string): RoomRequest['room'] {
  let name = '';
  try {
    name = decodeURIComponent(encoded);
  } catch {
    // Told below, as any other name that is none.
  }
  if (name !== '' && name.length <= MAX_NAME_CHARS) return roomName(name);
  throw new CaptionError('room_missing', 'Name the room: /v1/rooms/NAME/…, 1 to 256 characters.');
}

/** For pages of other origins, which `OriginPolicy` has let pass. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Methods', methods.join(', '));
  response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type');
  response.setHeader('Access-Control-Expose-Headers', 'Content-Disposition');
  response.setHeader('Access-Control-Max-Age', PREFLIGHT_MAX_AGE_S);
  response.setHeader('Vary', 'Origin');
}
