import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { detached } from '../../asr/detached.js';
import {
  CaptionError,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  MAX_NAME_CHARS,
  roomName,
} from '../../protocol/index.js';
import { clientKey, ConnectionBounds } from '../bounds/connection-bounds.js';
import { KeptByClient } from '../bounds/kept-by-client.js';
import { MessageLimit } from '../bounds/message-limit.js';
import { RateLimit } from '../bounds/rate-limit.js';
import type { Room } from '../rooms/room.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { ConnectionRights, OpenConnectionRights } from './access/connection-rights.js';
import { CaptionViewer } from './caption-viewer.js';
import { SnapshotRounds } from './snapshot-rounds.js';
import { closeWith, toCaptionError } from './websocket-closing.js';
import type { AcceptedConnection, WebSocketEndpoint } from './websocket-door.js';

/** A viewer that reports each delta of a room in which many talk stays far below. */
const MESSAGES = { messages: { burst: 2000, perSecond: 500 }, bytes: { burst: 400_000, perSecond: 100_000 } };
/** Of one identity, over all its connections. */
const SNAPSHOTS = { burst: 10, perSecond: 4 };

export interface CaptionsEndpointOptions {
  readonly rooms: RoomRegistry;
  readonly metrics: GatewayMetrics;
  readonly maxPauseMs: number;
  readonly openRights: OpenConnectionRights;
  readonly maxViewersPerIdentity: number;
  readonly maxViewersPerRoom: number;
}

interface Connection {
  readonly socket: WebSocket;
  readonly viewer: CaptionViewer;
  readonly room: Room;
  readonly limit: MessageLimit;
  readonly rights: ConnectionRights;
  /** Whose reports on what is shown these are. */
  readonly voter: string;
}

/** `/v1/captions?room=NAME`: a snapshot, then everything that is broadcast in the room. `close` it. */
export class CaptionsEndpoint implements WebSocketEndpoint {
  /** Whatever is longer than this by far ends the connection without an answer. */
  readonly maxMessageBytes = MAX_MESSAGE_BYTES * 8;
  readonly #rooms: RoomRegistry;
  readonly #metrics: GatewayMetrics;
  readonly #maxPauseMs: number;
  readonly #openRights: OpenConnectionRights;
  readonly #bounds: ConnectionBounds;
  readonly #messages = new KeptByClient(() => new MessageLimit(MESSAGES));
  readonly #snapshots = new KeptByClient(() => new RateLimit(SNAPSHOTS));
  readonly #rounds = new WeakMap<Room, SnapshotRounds>();
  readonly #sockets = new Set<WebSocket>();

  constructor(options: CaptionsEndpointOptions) {
    this.#rooms = options.rooms;
    this.#metrics = options.metrics;
    this.#maxPauseMs = options.maxPauseMs;
    this.#openRights = options.openRights;
    this.#bounds = new ConnectionBounds({
      perIdentity: options.maxViewersPerIdentity,
      perRoom: options.maxViewersPerRoom,
    });
  }

  /** Handed to connections and not yet sent. */
  get unsentBytes(): number {
    let sum = 0;
    for (const { bufferedAmount } of this.#sockets) sum += bufferedAmount;
    return sum;
  }

  /** Throws CaptionError `room_missing`, `forbidden`, `too_many_connections` or `too_many_rooms`. */
  open(connection: AcceptedConnection): void {
    const { socket, permissions, address } = connection;
    if (connection.room === null || connection.room === '' || connection.room.length > MAX_NAME_CHARS) {
      throw new CaptionError('room_missing', 'Name the room: /v1/captions?room=NAME, 1 to 256 characters.');
    }
    const name = roomName(connection.room);
    permissions.requireView(name);
    const client = { owner: permissions.owner, room: name };
    const leave = this.#bounds.enter({ ...client, address });
    socket.once('close', leave);
    const room = this.#rooms.enter(name);
    const snapshots = this.#snapshots.of(clientKey(client));
    const visit = room.visit(permissions.owner?.identity);
    const viewer = new CaptionViewer({
      socket,
      room,
      since: visit.since,
      maxPauseMs: this.#maxPauseMs,
      askForSnapshot: (send) => this.#roundsOf(room).ask(snapshots, send),
      skipped: () => this.#metrics.viewerSkipped(),
      resynced: () => this.#metrics.viewerResynced(),
      gaveUp: (error) => this.#refuse(socket, error),
    });
    const rights = this.#openRights({
      permissions,
      require: (mine) => mine.requireView(name),
      send: (message) => viewer.send(encodeMessage(message)),
      ended: (error) => this.#refuse(socket, error),
    });
    const limit = this.#messages.of(clientKey(client));
    // Without authentication nobody is somebody: each connection counts.
    const voter = permissions.owner?.identity ?? randomUUID();
    const from = { socket, viewer, room, limit, rights, voter };
    socket.on('message', (data) => this.#receive(data as Buffer, from));
    this.#sockets.add(socket);
    socket.once('close', () => {
      rights.close();
      this.#sockets.delete(socket);
      room.removeViewer(viewer);
      visit.leave();
      viewer.close();
    });
    room.addViewer(viewer, visit.since);
    rights.tell();
  }

  close(): void {
    this.#bounds.close();
    this.#messages.close();
    this.#snapshots.close();
  }

  #receive(data: Buffer, from: Connection): void {
    const { socket, viewer, room, limit, rights } = from;
    // What was on its way when the connection was closed.
    if (socket.readyState !== socket.OPEN) return;
    try {
      limit.take(data.length);
      const message = decodeMessage(data);
      if (message?.kind === 'resync') viewer.resync();
      else if (message?.kind === 'token') detached('token of a viewer', rights.renew(message.token));
      else if (message?.kind === 'shown' && message.epochMs === room.epochMs)
        room.latency?.acknowledged(message.seq, from.voter);
    } catch (thrown) {
      this.#refuse(socket, toCaptionError(thrown));
    }
  }

  #roundsOf(room: Room): SnapshotRounds {
    const rounds = this.#rounds.get(room) ?? new SnapshotRounds();
    this.#rounds.set(room, rounds);
    return rounds;
  }

  #refuse(socket: WebSocket, error: CaptionError): void {
    this.#metrics.refused(error.code);
    closeWith(socket, error);
  }
}
