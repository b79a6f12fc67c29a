import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import { CaptionError, decodeMessage, roomName } from '../../protocol/index.js';
import type { Room } from '../rooms/room.js';
import type { RoomRegistry } from '../rooms/room-registry.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { Permissions } from './authentication.js';
import { CaptionViewer } from './caption-viewer.js';
import { closeWith, toCaptionError } from './websocket-closing.js';

/** `/v1/captions?room=NAME`: a snapshot, then everything that is broadcast in the room. */
export class CaptionsEndpoint {
  readonly #rooms: RoomRegistry;
  readonly #metrics: GatewayMetrics;
  readonly #maxPauseMs: number;
  readonly #sockets = new Set<WebSocket>();

  constructor(options: { rooms: RoomRegistry; metrics: GatewayMetrics; maxPauseMs: number }) {
    this.#rooms = options.rooms;
    this.#metrics = options.metrics;
    this.#maxPauseMs = options.maxPauseMs;
  }

  /** Handed to connections and not yet sent. */
  get unsentBytes(): number {
    let sum = 0;
    for (const { bufferedAmount } of this.#sockets) sum += bufferedAmount;
    return sum;
  }

  /** Throws CaptionError `room_missing`, `forbidden` or `too_many_rooms`. */
  open(connection: { socket: WebSocket; permissions: Permissions; room: string | null }): void {
    const { socket, permissions } = connection;
    if (connection.room === null || connection.room === '' || connection.room.length > 256) {
      throw new CaptionError('room_missing', 'Name the room: /v1/captions?room=NAME, 1 to 256 characters.');
    }
    const name = roomName(connection.room);
    permissions.requireView(name);
    const room = this.#rooms.enter(name);
    const viewer = new CaptionViewer({
      socket,
      room,
      maxPauseMs: this.#maxPauseMs,
      skipped: () => this.#metrics.viewerSkipped(),
      resynced: () => this.#metrics.viewerResynced(),
      gaveUp: (error) => this.#refuse(socket, error),
    });
    // Without authentication nobody is somebody: each connection counts.
    const voter = permissions.owner?.identity ?? randomUUID();
    socket.on('message', (data) => this.#receive(data, { socket, viewer, room, voter }));
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      room.removeViewer(viewer);
      viewer.close();
    });
    room.addViewer(viewer);
  }

  #receive(
    data: RawData,
    from: { socket: WebSocket; viewer: CaptionViewer; room: Room; voter: string },
  ): void {
    const { socket, viewer, room } = from;
    // What was on its way when the connection was closed.
    if (socket.readyState !== socket.OPEN) return;
    try {
      const message = decodeMessage(data as Buffer);
      if (message?.kind === 'resync') viewer.resync();
      else if (message?.kind === 'shown' && message.epochMs === room.epochMs)
        room.latency?.acknowledged(message.seq, from.voter);
    } catch (thrown) {
      this.#refuse(socket, toCaptionError(thrown));
    }
  }

  #refuse(socket: WebSocket, error: CaptionError): void {
    this.#metrics.refused(error.code);
    closeWith(socket, error);
  }
}
