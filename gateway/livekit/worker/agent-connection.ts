import {
  JobType,
  ParticipantPermission,
  RegisterWorkerRequest,
  ServerMessage,
  WorkerMessage,
  WorkerPing,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { WebSocket } from 'ws';
import { CaptionError, errorMessage } from '../../../protocol/index.js';
import type { Logger } from '../../log.js';
import { machineClockMs } from '../../clock.js';
import { keepAlive } from '../../server/heartbeat.js';

/** livekit-server wants the registration within ten seconds, and is asked for no less. */
const REGISTER_DEADLINE_MS = 10_000;
/** The server pings, but never looks whether we answer: a dead connection is ours to notice (agentservice.go). */
const PING_INTERVAL_MS = 10_000;
const TOKEN_TTL_S = 600;
const UNAUTHORISED = 401;

export interface AgentConnectionOptions {
  /** `ws://…`, `wss://…`, `http://…` or `https://…`; a path is kept. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly agentName: string;
  readonly version: string;
  readonly received: (message: ServerMessage['message']) => void;
  readonly log: Logger;
  /** Default 10 s. */
  readonly pingIntervalMs?: number;
}

/** One registration as an agent worker: from `open` to the end of the connection. */
export class AgentConnection {
  readonly workerId: string;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly ended: Promise<void>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, workerId: string) {
    this.#socket = socket;
    this.workerId = workerId;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Throws CaptionError `livekit_unauthorised`, `livekit_unreachable` (retryable), `livekit_url_invalid`. */
  static async open(options: AgentConnectionOptions): Promise<AgentConnection> {
    const address = agentAddress(options.url);
    const token = new AccessToken(options.apiKey, options.apiSecret, { ttl: TOKEN_TTL_S });
    token.addGrant({ agent: true });
    const socket = new WebSocket(address, {
      headers: { Authorization: `Bearer ${await token.toJwt()}` },
      handshakeTimeout: REGISTER_DEADLINE_MS,
      maxPayload: 2 * 1024 * 1024,
    });
    const workerId = await registered(socket, options);
    const intervalMs = options.pingIntervalMs ?? PING_INTERVAL_MS;
    keepAlive(socket, { intervalMs, ask: () => socket.send(ping().toBinary()) });
    return new AgentConnection(socket, workerId);
  }

  /** Lost when the connection is gone: the server has forgotten us then. */
  send(message: WorkerMessage['message']): void {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(new WorkerMessage({ message }).toBinary());
  }

  close(): void {
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), 1000);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }
}

/** The address of `/agent`. Throws CaptionError `livekit_url_invalid`. */
export function agentAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed === undefined ? undefined : SCHEMES.get(parsed.protocol);
  if (parsed === undefined || scheme === undefined) {
    throw new CaptionError(
      'livekit_url_invalid',
      `LIVEKIT_URL ${url} is no address of a LiveKit server; it looks like wss://livekit.example.`,
    );
  }
  return `${scheme}//${parsed.host}${parsed.pathname.replace(/\/$/, '')}/agent`;
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ['http:', 'ws:'],
  ['ws:', 'ws:'],
  ['https:', 'wss:'],
  ['wss:', 'wss:'],
]);

/** Resolves with the worker's id. From then on messages go to `received`. */
function registered(socket: WebSocket, options: AgentConnectionOptions): Promise<string> {
  const { url, received, log } = options;
  return new Promise((resolve, reject) => {
    let isRegistered = false;
    const fail = (error: CaptionError): void => {
      clearTimeout(timer);
      reject(error);
      socket.terminate();
    };
    const unreachable = (why: string): CaptionError =>
      new CaptionError('livekit_unreachable', `LiveKit at ${url} cannot be reached as a worker: ${why}.`, {
        retryable: true,
      });
    const timer = setTimeout(
      () => fail(unreachable(`no registration within ${REGISTER_DEADLINE_MS / 1000} s`)),
      REGISTER_DEADLINE_MS,
    );
    socket.on('error', (error) => fail(unreachable(error.message)));
    socket.once('unexpected-response', (_request, response) => {
      const status = response.statusCode ?? 0;
      fail(
        status === UNAUTHORISED
          ? new CaptionError(
              'livekit_unauthorised',
              `LiveKit at ${url} refuses LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Check both, and the clocks.`,
              { retryable: true },
            )
          : unreachable(`it answered with HTTP status ${status}`),
      );
    });
    socket.once('close', () => fail(unreachable('the connection ended')));
    socket.once('open', () => socket.send(registration(options).toBinary()));
    socket.on('message', (data, isBinary) => {
      let message: ServerMessage['message'];
      try {
        if (!isBinary) throw new Error('a text frame');
        ({ message } = ServerMessage.fromBinary(data as Buffer));
      } catch (error) {
        log.warn({ error: errorMessage(error) }, 'message of LiveKit not understood');
        return;
      }
      if (isRegistered) received(message);
      else if (message.case === 'register') {
        isRegistered = true;
        clearTimeout(timer);
        resolve(message.value.workerId);
      }
    });
  });
}

const registration = ({ agentName, version }: AgentConnectionOptions): WorkerMessage =>
  new WorkerMessage({
    message: {
      case: 'register',
      value: new RegisterWorkerRequest({
        type: JobType.JT_ROOM,
        agentName,
        version,
        allowedPermissions: new ParticipantPermission({
          canSubscribe: true,
          canPublish: false,
          canPublishData: true,
          canUpdateMetadata: false,
          hidden: true,
          agent: true,
        }),
      }),
    },
  });

const ping = (): WorkerMessage =>
  new WorkerMessage({
    message: { case: 'ping', value: new WorkerPing({ timestamp: BigInt(machineClockMs()) }) },
  });
