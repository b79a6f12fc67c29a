import type { IncomingMessage } from 'node:http';
import {
  CaptionError,
  LANGUAGE_TAG_RULE,
  languageTag,
  MAX_NAME_CHARS,
  participantIdentity,
  type RoomName,
} from '../../protocol/index.js';
import { RateLimit } from '../bounds/rate-limit.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { ConnectionRights, OpenConnectionRights } from '../server/access/connection-rights.js';
import { shownOwner, type TokenOwner } from '../server/access/token-owner.js';
import type { RoomRequest } from '../server/transcript-requests.js';
import { CaptionerSeat } from './captioner-seat.js';
import { takeMessage } from './captioner-pace.js';

const MAX_BODY_BYTES = 4096;
/** A tool that posts nothing for so long has left. */
const IDLE_MS = 60_000;
/** Posts that are known again when a tool sends them twice. */
const MAX_REMEMBERED_POSTS = 1000;
const MAX_POSTERS = 1000;
const LIMIT = { burst: 50, perSecond: 20 };

interface Poster {
  readonly seat: CaptionerSeat;
  readonly limit: RateLimit;
  readonly language: string;
  /** Texts by their `seq`. */
  readonly posts: Map<number, string>;
  lastSeq: number;
  /** Those of the last post: who loses them leaves at once. */
  rights: ConnectionRights | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * `POST /v1/rooms/{room}/captions?seq=N&lang=xx`, text/plain: what tools of captioners do that were made for Zoom's closed
 * captioning address. Every post is final. `close` lets recognition go on.
 */
export class CaptionPosts {
  readonly #rooms: RoomRegistry;
  readonly #language: string;
  readonly #openRights: OpenConnectionRights;
  readonly #posters = new Map<string, Poster>();
  #isClosed = false;

  constructor(options: { rooms: RoomRegistry; language: string; openRights: OpenConnectionRights }) {
    this.#rooms = options.rooms;
    this.#language = options.language;
    this.#openRights = options.openRights;
  }

  /**
   * Answers with the `seq`; the same post again changes nothing. Throws CaptionError `forbidden`, `query_invalid`,
   * `message_too_large`, `message_malformed`, `captioner_too_fast`, `too_many_captioners` or `too_many_rooms`.
   */
  async post(request: RoomRequest, incoming: IncomingMessage): Promise<void> {
    const { room, query, permissions, response } = request;
    permissions.requireWrite(room);
    const written = query.get('seq') ?? '';
    const seq = Number(written);
    if (!/^\d+$/.test(written) || !Number.isSafeInteger(seq))
      throw new CaptionError('query_invalid', 'seq must be a whole number, 0 or more.');
    const text = await readText(incoming);
    // Reading may take long enough for it to be withdrawn.
    permissions.requireWrite(room);
    if (this.#isClosed)
      throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
    const poster = this.#posterOf(room, request);
    takeMessage(poster.limit);
    if (poster.posts.get(seq) !== text) {
      poster.seat.write({ line: poster.seat.nextLine, text, isCommitted: true });
      remember(poster, seq, text);
    }
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(`${seq}\n`);
  }

  /** The last `seq` of this captioner; 0 for none. Throws CaptionError `forbidden`. */
  tellSeq(request: RoomRequest): void {
    const { room, permissions, response } = request;
    permissions.requireWrite(room);
    const seq = this.#posters.get(keyOf(room, captionerOf(request)))?.lastSeq ?? 0;
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(`${seq}\n`);
  }

  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#posters.keys()]) this.#posterLeft(key);
  }

  #posterOf(room: RoomName, request: RoomRequest): Poster {
    const captioner = captionerOf(request);
    const key = keyOf(room, captioner);
    const language = languageOf(request) ?? this.#language;
    const replaces = request.query.get('replaces') === 'everybody' ? 'everybody' : [];
    let poster = this.#posters.get(key);
    // A line keeps its language, and so does whoever writes it.
    if (poster !== undefined && poster.language !== language) poster.seat.leave();
    if (poster?.language !== language) {
      if (poster === undefined && this.#posters.size >= MAX_POSTERS) {
        throw new CaptionError('too_many_captioners', 'This gateway has all the captioners it may have.', {
          retryable: true,
        });
      }
      poster = this.#newPoster({ room, captioner, language, former: poster });
      this.#posters.set(key, poster);
    }
    if (!poster.seat.isThere) poster.seat.take(replaces);
    else poster.seat.replace(replaces);
    poster.rights?.close();
    poster.rights = this.#openRights({
      permissions: request.permissions,
      require: (mine) => mine.requireWrite(room),
      send: () => undefined,
      ended: () => this.#posterLeft(key),
    });
    clearTimeout(poster.timer);
    poster.timer = setTimeout(() => this.#posterLeft(key), IDLE_MS);
    poster.timer.unref();
    return poster;
  }

  #newPoster(of: {
    room: RoomName;
    captioner: TokenOwner;
    language: string;
    former: Poster | undefined;
  }): Poster {
    const { room, captioner, language, former } = of;
    clearTimeout(former?.timer);
    former?.rights?.close();
    return {
      seat: new CaptionerSeat({
        room: this.#rooms.enter(room),
        captioner,
        language,
        correctableLines: 0,
        settleAfterMs: 0,
        settled: () => undefined,
      }),
      limit: former?.limit ?? new RateLimit(LIMIT),
      language,
      posts: former?.posts ?? new Map<number, string>(),
      lastSeq: former?.lastSeq ?? 0,
      rights: undefined,
      timer: undefined,
    };
  }

  #posterLeft(key: string): void {
    const poster = this.#posters.get(key);
    clearTimeout(poster?.timer);
    poster?.rights?.close();
    poster?.seat.leave();
    this.#posters.delete(key);
  }
}

/** With a token, its owner; else who the address says. */
function captionerOf({ permissions, query }: RoomRequest): TokenOwner {
  if (permissions.owner !== undefined) return shownOwner(permissions.owner, permissions.owner);
  const identity = query.get('captioner') ?? 'captioner';
  if (identity === '' || identity.length > MAX_NAME_CHARS)
    throw new CaptionError('query_invalid', 'captioner must be a name of 1 to 256 characters.');
  return shownOwner({ identity: participantIdentity(identity), name: identity }, undefined);
}

/** Undefined where the address says none. */
function languageOf({ query }: RoomRequest): string | undefined {
  const lang = query.get('lang') ?? '';
  if (lang === '') return undefined;
  const tag = languageTag(lang);
  if (tag === undefined) throw new CaptionError('query_invalid', `lang must be ${LANGUAGE_TAG_RULE}.`);
  return tag;
}

const keyOf = (room: RoomName, { identity }: TokenOwner): string => JSON.stringify([room, identity]);

function remember(poster: Poster, seq: number, text: string): void {
  poster.posts.set(seq, text);
  poster.lastSeq = seq;
  const oldest = poster.posts.keys().next();
  if (poster.posts.size > MAX_REMEMBERED_POSTS && oldest.done !== true) poster.posts.delete(oldest.value);
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Whoever sends too much is told so: the connection stays for the answer.
    const body = incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES)
        throw new CaptionError('message_too_large', `A post may have ${MAX_BODY_BYTES} bytes.`);
      chunks.push(chunk);
    }
  } catch (error) {
    // The rest is read and dropped, or the next request on this connection would wait for ever.
    incoming.resume();
    if (error instanceof CaptionError) throw error;
    throw new CaptionError('message_malformed', 'The connection ended before the post did.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new CaptionError('message_malformed', 'A post must be text in UTF-8.');
  }
}
