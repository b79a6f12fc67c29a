import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { CaptionError, SUBPROTOCOL } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { CaptionerEndpoint } from '../captioner/captioner-endpoint.js';
import { type Authenticator, offeredSubprotocols, type Permissions } from './authentication.js';
import type { CaptionsEndpoint } from './captions-endpoint.js';
import { keepAlive } from './heartbeat.js';
import type { IngestEndpoint } from './ingest-endpoint.js';
import type { OriginPolicy } from './origin-policy.js';
import { sendJson } from './http-answers.js';
import { servePage } from './page.js';
import type { RoomRequests } from './room-requests.js';
import { CLOSE_DEADLINE_MS, closeWith, toCaptionError } from './websocket-closing.js';

/** A captions viewer sends nothing but short requests; audio frames of ten seconds at 48 kHz are the longest sensible. */
const MAX_MESSAGE_BYTES = 1_048_576;

export interface GatewayServerOptions {
  readonly host: string;
  readonly port: number;
  readonly authenticator: Authenticator;
  readonly origins: OriginPolicy;
  readonly metrics: GatewayMetrics;
  readonly captions: CaptionsEndpoint;
  readonly ingest: IngestEndpoint;
  readonly captioners: CaptionerEndpoint;
  readonly roomRequests: RoomRequests;
  /** What `/readyz` tells: undefined when ready, else why not. */
  readonly notReadyReason: () => string | undefined;
  /** Between two pings on a WebSocket, in milliseconds. */
  readonly heartbeatIntervalMs: number;
  /** Where the room page may connect; empty for a development server on this machine. */
  readonly liveKitUrl: string;
  readonly log: Logger;
}

/** HTTP and WebSocket on one port. `close` ends all connections with a reason. */
export class GatewayServer {
  readonly #options: GatewayServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  #isClosing = false;

  constructor(options: GatewayServerOptions) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        options.log.error({ err: error }, 'request failed');
        response.destroy();
      });
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      // Captions are small and audio does not compress this way; compression contexts would cost 300 kB a connection.
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Resolves with the address. Throws CaptionError `address_unavailable`. */
  listen(): Promise<{ url: string; port: number }> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error) => {
        reject(
          new CaptionError('address_unavailable', `Cannot listen on ${host}:${port}: ${error.message}`, {
            cause: error,
          }),
        );
      });
      this.#http.listen(port, host, () => {
        const address = this.#http.address() as AddressInfo;
        const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
        resolve({ url: `http://${name}:${address.port}`, port: address.port });
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const socket of this.#sockets.clients) closeWith(socket, shuttingDown());
    this.#http.closeIdleConnections();
    // Whoever has not finished a request by then never will.
    const timer = setTimeout(() => this.#http.closeAllConnections(), CLOSE_DEADLINE_MS);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = parseTarget(request);
    const path = url?.pathname;
    if (url !== undefined && (await this.#options.roomRequests.answer(url, { request, response }))) return;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      sendJson(response, 405, { code: 'method_not_allowed', message: 'Only GET is answered here.' });
      return;
    }
    switch (path) {
      case '/healthz':
        sendJson(response, 200, { status: 'alive' });
        return;
      case '/readyz': {
        const reason = this.#options.notReadyReason();
        sendJson(
          response,
          reason === undefined ? 200 : 503,
          reason === undefined ? { status: 'ready' } : { status: 'not_ready', reason },
        );
        return;
      }
      case '/metrics':
        response.setHeader('Content-Type', this.#options.metrics.registry.contentType);
        response.end(await this.#options.metrics.registry.metrics());
        return;
      default:
        if (
          path !== undefined &&
          (await servePage(path, { request, response, liveKitUrl: this.#options.liveKitUrl }))
        )
          return;
        sendJson(response, 404, { code: 'not_found', message: 'There is nothing at this address.' });
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = parseTarget(request);
    const open = url === undefined ? undefined : this.#endpoint(url);
    if (url === undefined || open === undefined) {
      // A peer that is gone before it has read the answer is its own business.
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    // Checked after the upgrade: a browser is told the reason of a close, but never that of a refused upgrade.
    this.#sockets.handleUpgrade(request, socket, head, (connection) => {
      connection.on('error', (error) =>
        this.#options.log.debug({ error: error.message }, 'connection failed'),
      );
      keepAlive(connection, this.#options.heartbeatIntervalMs);
      connection.pause();
      this.#authorise(request)
        .then((permissions) => {
          // It may have gone meanwhile, and nobody would notice later.
          if (connection.readyState === connection.OPEN) open(connection, permissions);
        })
        .catch((thrown: unknown) => {
          const error = toCaptionError(thrown);
          this.#options.metrics.refused(error.code);
          this.#options.log.warn({ code: error.code, path: url.pathname }, 'connection refused');
          closeWith(connection, error);
        })
        .finally(() => connection.resume());
    });
  }

  #endpoint(url: URL): ((socket: WebSocket, permissions: Permissions) => void) | undefined {
    switch (url.pathname) {
      case '/v1/ingest':
        return (socket, permissions) => this.#options.ingest.open(socket, permissions);
      case '/v1/captions':
        return (socket, permissions) =>
          this.#options.captions.open({ socket, permissions, room: url.searchParams.get('room') });
      case '/v1/captioner':
        return (socket, permissions) =>
          this.#options.captioners.open({ socket, permissions, room: url.searchParams.get('room') });
      default:
        return undefined;
    }
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

const shuttingDown = (): CaptionError =>
  new CaptionError('shutting_down', 'The gateway is shutting down; connect again.', { retryable: true });

/** The address asked for; undefined when it is none, for instance `//`. */
function parseTarget(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '/';
  return URL.canParse(target, 'http://gateway') ? new URL(target, 'http://gateway') : undefined;
}
