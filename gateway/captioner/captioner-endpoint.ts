import {
  CaptionError,
  type CaptionerHello,
  MAX_CAPTIONER_MESSAGE_BYTES,
  MAX_NAME_CHARS,
  roomName,
  type RoomName,
} from '../../protocol/index.js';
import { clientKey, ConnectionBounds } from '../bounds/connection-bounds.js';
import { KeptByClient } from '../bounds/kept-by-client.js';
import { RateLimit } from '../bounds/rate-limit.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { OpenConnectionRights } from '../server/access/connection-rights.js';
import { shownOwner } from '../server/access/token-owner.js';
import type { Permissions } from '../server/authentication.js';
import type { AcceptedConnection, WebSocketEndpoint } from '../server/websocket-door.js';
import { CaptionerConnection, type CaptionerHost } from './captioner-connection.js';
import { CaptionerSeat } from './captioner-seat.js';

const MAX_CAPTIONERS_OF_A_ROOM = 8;
/** Also those who have not said hello yet, or have left. */
const CONNECTIONS = { perIdentity: 10, perRoom: 100 };
/** Nobody writes faster; a client that sends every key stroke of a fast writer stays far below. */
const LIMIT = { burst: 100, perSecond: 30 };
/** A captioner whose connection dropped finds the same seat for so long. */
const SEAT_KEPT_MS = 60_000;

export interface CaptionerEndpointOptions {
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly helloDeadlineMs: number;
  /** Of captioners who name none; may be empty. */
  readonly language: string;
  readonly openRights: OpenConnectionRights;
}

interface Place {
  readonly seat: CaptionerSeat;
  connection: CaptionerConnection | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** `/v1/captioner?room=NAME`: people who write captions. `close` settles what they wrote. */
export class CaptionerEndpoint implements WebSocketEndpoint {
  /** Whatever is longer than this by far ends the connection without an answer. */
  readonly maxMessageBytes = MAX_CAPTIONER_MESSAGE_BYTES * 2;
  readonly #options: CaptionerEndpointOptions;
  readonly #bounds = new ConnectionBounds(CONNECTIONS);
  readonly #limits = new KeptByClient(() => new RateLimit(LIMIT));
  readonly #places = new Map<string, Place>();
  #isClosing = false;

  constructor(options: CaptionerEndpointOptions) {
    this.#options = options;
  }

  /** People who are writing. */
  get captionerCount(): number {
    return [...this.#places.values()].filter(({ seat }) => seat.isThere).length;
  }

  /** Throws CaptionError `room_missing`, `forbidden` or `too_many_connections`. */
  open(connection: AcceptedConnection): void {
    const { socket, permissions, address } = connection;
    if (connection.room === null || connection.room === '' || connection.room.length > MAX_NAME_CHARS) {
      throw new CaptionError('room_missing', 'Name the room: /v1/captioner?room=NAME, 1 to 256 characters.');
    }
    const room = roomName(connection.room);
    permissions.requireWrite(room);
    const client = { owner: permissions.owner, room };
    socket.once('close', this.#bounds.enter({ ...client, address }));
    const { metrics, log, helloDeadlineMs, openRights } = this.#options;
    const host: CaptionerHost = {
      limit: this.#limits.of(clientKey(client)),
      metrics,
      log,
      helloDeadlineMs,
      seatFor: (hello, asking) => this.#seatFor({ room, permissions, hello }, asking),
      leave: (seat, leaving) => this.#leave(seat, leaving),
      openRights: (opened) =>
        openRights({
          permissions,
          require: (mine) => mine.requireWrite(room),
          send: (message) => opened.send(message),
          ended: (error) => opened.fail(error),
        }),
    };
    new CaptionerConnection(socket, host);
  }

  close(): void {
    this.#isClosing = true;
    this.#bounds.close();
    this.#limits.close();
    for (const { seat, timer } of this.#places.values()) {
      clearTimeout(timer);
      seat.leave();
    }
    this.#places.clear();
  }

  #seatFor(
    asked: { room: RoomName; permissions: Permissions; hello: CaptionerHello },
    connection: CaptionerConnection,
  ): CaptionerSeat {
    const { room, permissions, hello } = asked;
    const { owner } = permissions;
    if (this.#isClosing)
      throw new CaptionError('shutting_down', 'The gateway is shutting down.', { retryable: true });
    if (owner !== undefined && owner.identity !== hello.captioner.identity) {
      throw new CaptionError(
        'forbidden',
        'The access token is for another identity than hello.captioner.identity.',
      );
    }
    const former = hello.session === undefined ? undefined : this.#places.get(hello.session);
    // A room in which nothing was said is forgotten when nobody is there, and begun anew when somebody comes.
    const isFormer =
      former?.seat.room.name === room &&
      former.seat.room === this.#options.rooms.find(room) &&
      former.seat.captioner.identity === hello.captioner.identity;
    if (isFormer) return this.#occupy(former, connection);
    const there = [...this.#places.values()].filter(({ seat }) => seat.isThere && seat.room.name === room);
    if (there.length >= MAX_CAPTIONERS_OF_A_ROOM) {
      throw new CaptionError('too_many_captioners', 'This room has all the captioners it may have.', {
        retryable: true,
      });
    }
    const place: Place = {
      seat: new CaptionerSeat({
        room: this.#options.rooms.enter(room),
        captioner: shownOwner(hello.captioner, owner),
        language: hello.language ?? this.#options.language,
        correctableLines: hello.correctableLines,
        settleAfterMs: hello.settleAfterMs,
        settled: (line, text) => place.connection?.settled(line, text),
      }),
      connection: undefined,
      timer: undefined,
    };
    this.#places.set(place.seat.id, place);
    return this.#occupy(place, connection);
  }

  /** The newer connection counts. */
  #occupy(place: Place, connection: CaptionerConnection): CaptionerSeat {
    const former = place.connection;
    place.connection = connection;
    clearTimeout(place.timer);
    former?.fail(
      new CaptionError('stream_taken_over', 'This captioner connected again; the newer connection counts.'),
    );
    return place.seat;
  }

  #leave(seat: CaptionerSeat, connection: CaptionerConnection): void {
    const place = this.#places.get(seat.id);
    if (place?.connection !== connection) return;
    seat.leave();
    place.connection = undefined;
    place.timer = setTimeout(() => this.#places.delete(seat.id), SEAT_KEPT_MS);
    place.timer.unref();
  }
}
