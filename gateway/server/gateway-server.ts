import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CaptionError } from '../../protocol/index.js';
import type { RefusalLog } from '../bounds/refusal-log.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import { SharedScrape } from '../metrics/shared-scrape.js';
import type { Authenticator } from './authentication.js';
import { bareHost, type OriginPolicy } from './origin-policy.js';
import { sendJson } from './http-answers.js';
import { servePage } from './page.js';
import type { NotReady } from './readiness.js';
import type { ReportRequests } from './report-requests.js';
import type { RoomRequests } from './room-requests.js';
import type { Timing } from './timing.js';
import { CLOSE_DEADLINE_MS } from './websocket-closing.js';
import { WebSocketDoor, type WebSocketEndpoint } from './websocket-door.js';

/** A connection on which nothing moves for so long is ended; WebSockets have their own heartbeat. */
const IDLE_MS = 60_000;
/** Requests are short: all of one must come within this. */
const REQUEST_DEADLINE_MS = 30_000;
/** How often connections are looked at for these deadlines. */
const DEADLINE_CHECK_MS = 1000;

export interface GatewayServerOptions {
  readonly host: string;
  readonly port: number;
  readonly authenticator: Authenticator;
  readonly origins: OriginPolicy;
  readonly metrics: GatewayMetrics;
  /** WebSockets, by path. */
  readonly endpoints: Readonly<Record<string, WebSocketEndpoint>>;
  readonly maxConnections: number;
  readonly roomRequests: RoomRequests;
  readonly reportRequests: ReportRequests;
  /** What `/readyz` tells: undefined when ready. */
  readonly notReady: () => NotReady | undefined;
  /** What is wrong all the same, in codes; `/readyz` tells it besides. */
  readonly warnings: () => readonly string[];
  readonly timing: Timing;
  readonly refusals: RefusalLog;
  /** Where the room page may connect; empty for a development server on this machine. */
  readonly liveKitUrl: string;
  readonly log: Logger;
}

/** HTTP and WebSocket on one port. `close` ends all connections with a reason. */
export class GatewayServer {
  readonly #options: GatewayServerOptions;
  readonly #http: Server;
  readonly #webSockets: WebSocketDoor;
  readonly #scrape: SharedScrape;

  constructor(options: GatewayServerOptions) {
    this.#options = options;
    const { timing, log } = options;
    this.#scrape = new SharedScrape(options.metrics.registry, timing.scrapeIntervalMs);
    const deadlines = {
      headersTimeout: timing.headersDeadlineMs,
      requestTimeout: Math.max(timing.headersDeadlineMs, REQUEST_DEADLINE_MS),
      connectionsCheckingInterval: Math.min(timing.headersDeadlineMs, DEADLINE_CHECK_MS),
    };
    this.#http = createServer(deadlines, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        log.error({ err: error }, 'request failed');
        response.destroy();
      });
    });
    this.#http.maxConnections = options.maxConnections;
    this.#http.timeout = IDLE_MS;
    this.#http.on('drop', () => {
      const message = 'The gateway has all the connections it may have.';
      options.refusals.refused(new CaptionError('too_many_connections', message), 'a connection');
    });
    this.#webSockets = new WebSocketDoor({
      ...options,
      heartbeatIntervalMs: timing.heartbeatIntervalMs,
    });
    this.#http.on('upgrade', (request, socket, head) =>
      this.#webSockets.upgrade(parseTarget(request), { request, socket, head }),
    );
  }

  /** Resolves with the address. Throws CaptionError `address_unavailable`. */
  listen(): Promise<{ url: string; port: number }> {
    const { host, port, log } = this.#options;
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error) => {
        reject(
          new CaptionError('address_unavailable', `Cannot listen on ${host}:${port}: ${error.message}`, {
            cause: error,
          }),
        );
      });
      this.#http.listen(port, bareHost(host), () => {
        // Afterwards it concerns one connection that could not be accepted, and must not end the others.
        this.#http.on('error', (error) => log.error({ err: error }, 'server failed'));
        const address = this.#http.address() as AddressInfo;
        const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
        resolve({ url: `http://${name}:${address.port}`, port: address.port });
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#webSockets.close();
    this.#http.closeIdleConnections();
    // Whoever has not finished a request by then never will.
    const timer = setTimeout(() => this.#http.closeAllConnections(), CLOSE_DEADLINE_MS);
    await closed;
    clearTimeout(timer);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = parseTarget(request);
    const path = url?.pathname;
    if (url !== undefined) {
      const { roomRequests, reportRequests } = this.#options;
      if (await roomRequests.answer(url, { request, response })) return;
      if (await reportRequests.answer(url, { request, response })) return;
    }
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
        const notReady = this.#options.notReady();
        const warnings = this.#options.warnings();
        const besides = warnings.length === 0 ? {} : { warnings };
        if (notReady === undefined) sendJson(response, 200, { status: 'ready', ...besides });
        else sendJson(response, 503, { status: 'not_ready', ...notReady });
        return;
      }
      case '/metrics':
        response.setHeader('Content-Type', this.#scrape.contentType);
        response.end(await this.#scrape.text());
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
}

/** The address asked for; undefined when it is none, for instance `//`. */
function parseTarget(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '/';
  return URL.canParse(target, 'http://gateway') ? new URL(target, 'http://gateway') : undefined;
}
