import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { CaptionError, SUBPROTOCOL } from '../../protocol/index.js';
import { RateLimit } from '../bounds/rate-limit.js';
import type { RefusalLog } from '../bounds/refusal-log.js';
import type { Logger } from '../log.js';
import { type Authenticator, offeredSubprotocols, type Permissions } from './authentication.js';
import { keepAlive } from './heartbeat.js';
import type { OriginPolicy } from './origin-policy.js';
import { closeWith, toCaptionError } from './websocket-closing.js';

/** Each way of asking whether the other side is still there: proxies and browsers do so every few seconds. */
const CONTROL_FRAMES = { burst: 100, perSecond: 10 };
/** Of somebody who is being told why they may not connect; longer messages are not even read. */
const MAX_REFUSED_MESSAGE_BYTES = 1024;

/** A connection of somebody whose token has been looked at. */
export interface AcceptedConnection {
  readonly socket: WebSocket;
  readonly permissions: Permissions;
  /** The query's `room`. */
  readonly room: string | null;
  /** Of the peer, which may be a proxy. */
  readonly address: string;
}

/** What is at one address. */
export interface WebSocketEndpoint {
  /** A longer message ends the connection with code 1009. */
  readonly maxMessageBytes: number;
  /** Throws CaptionError: the connection is closed with it. */
  open(connection: AcceptedConnection): void;
}

export interface WebSocketDoorOptions {
  readonly authenticator: Authenticator;
  readonly origins: OriginPolicy;
  /** By path. */
  readonly endpoints: Readonly<Record<string, WebSocketEndpoint>>;
  /** Between two pings, in milliseconds. */
  readonly heartbeatIntervalMs: number;
  readonly refusals: RefusalLog;
  readonly log: Logger;
}

/**
 * Lets WebSockets in. Nothing that a peer sends is read before its token has been looked at, and of those who are refused next to
 * nothing: they get a connection all the same, since a browser learns the reason of a close but never that of a refused upgrade.
 */
export class WebSocketDoor {
  readonly #options: WebSocketDoorOptions;
  readonly #servers: ReadonlyMap<string, { server: WebSocketServer; endpoint: WebSocketEndpoint }>;
  readonly #refusing = webSocketServer(MAX_REFUSED_MESSAGE_BYTES);
  /** Whose tokens are being looked at. */
  readonly #pending = new Set<Duplex>();
  #isClosing = false;

  constructor(options: WebSocketDoorOptions) {
    this.#options = options;
    this.#servers = new Map(
      Object.entries(options.endpoints).map(([path, endpoint]) => [
        path,
        { server: webSocketServer(endpoint.maxMessageBytes), endpoint },
      ]),
    );
  }

  /** `url` is what is asked for; undefined where that is no address. */
  upgrade(url: URL | undefined, { request, socket, head }: Upgrade): void {
    // A peer that is gone before it has read the answer is its own business.
    socket.on('error', () => undefined);
    const place = url === undefined ? undefined : this.#servers.get(url.pathname.replace(/(?<=.)\/$/, ''));
    if (url === undefined || place === undefined) {
      // The other side may never end it.
      socket.once('finish', () => socket.destroy());
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const refuse = (thrown: unknown): CaptionError => {
      const error = toCaptionError(thrown);
      this.#options.refusals.refused(error, url.pathname);
      return error;
    };
    this.#pending.add(socket);
    this.#authorise(request)
      .finally(() => this.#pending.delete(socket))
      .then(
        (permissions) => {
          place.server.handleUpgrade(request, socket, head, (connection) => {
            this.#watch(connection);
            try {
              if (this.#isClosing) throw shuttingDown();
              const address = request.socket.remoteAddress ?? '';
              const room = url.searchParams.get('room');
              place.endpoint.open({ socket: connection, permissions, room, address });
            } catch (thrown) {
              closeWith(connection, refuse(thrown));
            }
          });
        },
        (thrown: unknown) => {
          const error = refuse(thrown);
          this.#refusing.handleUpgrade(request, socket, head, (connection) => {
            this.#watch(connection);
            closeWith(connection, error);
          });
        },
      )
      .catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'upgrade failed');
        socket.destroy();
      });
  }

  /** Ends all connections with a reason. Idempotent. */
  close(): void {
    this.#isClosing = true;
    for (const socket of this.#pending) socket.destroy();
    for (const { server } of this.#servers.values())
      for (const connection of server.clients) closeWith(connection, shuttingDown());
  }

  #watch(connection: WebSocket): void {
    connection.on('error', (error) => this.#options.log.debug({ error: error.message }, 'connection failed'));
    keepAlive(connection, { intervalMs: this.#options.heartbeatIntervalMs });
    const limit = new RateLimit(CONTROL_FRAMES);
    for (const frame of ['ping', 'pong'] as const)
      connection.on(frame, () => {
        if (limit.tryTake() || connection.readyState !== connection.OPEN) return;
        const error = tooFast();
        this.#options.refusals.refused(error, 'a connection');
        closeWith(connection, error);
      });
  }

  async #authorise(request: IncomingMessage): Promise<Permissions> {
    if (this.#isClosing) throw shuttingDown();
    this.#options.origins.check(request);
    const offered = offeredSubprotocols(request).filter((name) => name !== '');
    if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) {
      throw new CaptionError(
        'subprotocol_unknown',
        `Offer the WebSocket sub-protocol "${SUBPROTOCOL}", or none.`,
      );
    }
    return this.#options.authenticator.authenticate(request);
  }
}

/** What Node's HTTP server hands over. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const webSocketServer = (maxMessageBytes: number): WebSocketServer =>
  new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    // Captions are small and audio does not compress this way; compression contexts would cost 300 kB a connection.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

const tooFast = (): CaptionError =>
  new CaptionError('messages_too_fast', 'More pings or pongs than are read here.', { retryable: true });

const shuttingDown = (): CaptionError =>
  new CaptionError('shutting_down', 'The gateway is shutting down; connect again.', { retryable: true });
