/**
 * Captions from `/v1/captions`: folds what arrives with the protocol's reducer, asks for a snapshot where something is
 * missing, and connects again when the connection ends.
 */
import {
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  receiveMessage,
  resyncMessage,
  type RoomName,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../../protocol/index.js';
import type { CaptionListener, CaptionSource, LinkState, RefusalCause } from './caption-source.js';

/** See protocol/README.md, "After loss". */
const RESYNC_AFTER_MS = 500;
const RESYNC_AGAIN_AFTER_MS = 2000;
/** The wait before the first new try; doubled with each further one up to the maximum. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** A connection that has told nothing by then is given up. */
const SNAPSHOT_DEADLINE_MS = 10_000;

export interface WebSocketSourceOptions {
  /** Of the gateway, `http://…` or `https://…`. */
  readonly gateway: string;
  readonly room: RoomName;
  /** LiveKit access token; undefined for none. */
  readonly token: string | undefined;
}

const SILENT: CaptionListener = { changed: () => undefined, linkChanged: () => undefined };

export class WebSocketSource implements CaptionSource {
  readonly #options: WebSocketSourceOptions;
  #listener = SILENT;
  #state: CaptionState;
  #socket: WebSocket | undefined;
  #failedTries = 0;
  #deadlineTimer: ReturnType<typeof setTimeout> | undefined;
  #resyncTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WebSocketSourceOptions) {
    this.#options = options;
    this.#state = initialState(options.room);
  }

  start(listener: CaptionListener): void {
    this.#listener = listener;
    this.#tell({ kind: 'connecting' });
    this.#connect();
  }

  retryNow(): void {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  close(): void {
    this.#listener = SILENT;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#forgetSocket();
  }

  #tell(link: LinkState): void {
    this.#listener.linkChanged(link);
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    // Each connection begins with a snapshot. Starting from nothing takes it even from a gateway whose clock went back.
    this.#state = initialState(this.#options.room);
    const socket = this.#openSocket();
    if (socket === undefined) {
      this.#stopFor('token_malformed');
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#receive(data as string | ArrayBuffer);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    });
    this.#deadlineTimer = setTimeout(() => this.#closed(0, ''), SNAPSHOT_DEADLINE_MS);
  }

  /** Undefined where the token cannot be a sub-protocol. */
  #openSocket(): WebSocket | undefined {
    const { gateway, room, token } = this.#options;
    const url = new URL(`/v1/captions?room=${encodeURIComponent(room)}`, gateway);
    url.protocol = url.protocol.replace('http', 'ws');
    const subprotocols = token === undefined ? [] : [`${TOKEN_SUBPROTOCOL_PREFIX}${token}`];
    try {
      return new WebSocket(url, [SUBPROTOCOL, ...subprotocols]);
    } catch {
      return undefined;
    }
  }

  #receive(data: string | ArrayBuffer): void {
    let message: CaptionMessage | undefined;
    try {
      message = decodeMessage(typeof data === 'string' ? data : new Uint8Array(data));
    } catch {
      this.#stopFor('unreadable');
      return;
    }
    const next = message === undefined ? this.#state : receiveMessage(this.#state, message, Date.now());
    if (next === this.#state) return;
    const isFirst = this.#state.epochMs === 0 && next.epochMs !== 0;
    this.#state = next;
    this.#watchForHole();
    if (next.epochMs === 0) return;
    if (isFirst) this.#connected();
    this.#listener.changed(next);
  }

  #connected(): void {
    clearTimeout(this.#deadlineTimer);
    this.#failedTries = 0;
    this.#tell({ kind: 'connected' });
  }

  #watchForHole(): void {
    if (this.#state.needsResync) {
      this.#resyncTimer ??= setTimeout(() => this.#askForSnapshot(), RESYNC_AFTER_MS);
    } else {
      clearTimeout(this.#resyncTimer);
      this.#resyncTimer = undefined;
    }
  }

  #askForSnapshot(): void {
    this.#socket?.send(encodeMessage(resyncMessage(this.#state)));
    this.#resyncTimer = setTimeout(() => this.#askForSnapshot(), RESYNC_AGAIN_AFTER_MS);
  }

  #closed(code: number, reason: string): void {
    if (code >= 4400 && code < 4408) {
      if (code === 4401 && this.#options.token === undefined) this.#stopFor('token_needed');
      // The gateway's reason is `code: text`.
      else this.#stopFor('told', reason.replace(/^[a-z_]+: /, ''));
      return;
    }
    this.#forgetSocket();
    const longestMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    // Spread, so that all viewers of a gateway that was restarted do not come back at the same moment.
    const waitMs = longestMs * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#connect(), waitMs);
    this.#tell({ kind: 'lost' });
  }

  #stopFor(cause: RefusalCause, reason = ''): void {
    this.#forgetSocket();
    this.#tell({ kind: 'refused', cause, reason });
  }

  #forgetSocket(): void {
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#resyncTimer);
    this.#resyncTimer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
