/**
 * Captions from `/v1/captions`: folds what arrives with the protocol's reducer, asks for a snapshot where something is
 * missing, and connects again when the connection ends.
 */
import {
  type AccessTokenSource,
  type CaptionMessage,
  type CaptionState,
  ClientToken,
  closeMeaning,
  closeText,
  decodeMessage,
  encodeMessage,
  initialState,
  receiveMessage,
  resyncMessage,
  type RoomName,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
  webSocketAddress,
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
  /** LiveKit access token, or what gives the one that counts now; undefined for none. */
  readonly token: AccessTokenSource | undefined;
  /** A newer token is about to be asked for. */
  readonly tokenExpiring?: () => void;
}

const SILENT: CaptionListener = { changed: () => undefined, linkChanged: () => undefined };

export class WebSocketSource implements CaptionSource {
  readonly #options: WebSocketSourceOptions;
  readonly #token: ClientToken;
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
    this.#token = new ClientToken({
      source: options.token,
      send: (token) => this.#send({ kind: 'token', token }),
      expiring: options.tokenExpiring,
    });
  }

  start(listener: CaptionListener): void {
    this.#listener = listener;
    this.#tell({ kind: 'connecting' });
    this.#connect();
  }

  retryNow(): void {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  tokenChanged(): void {
    // Nobody listens: it is not started, or closed.
    if (this.#listener === SILENT) return;
    if (this.#socket === undefined) this.#connect();
    else this.#token.renew();
  }

  close(): void {
    this.#listener = SILENT;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#token.close();
    this.#forgetSocket();
  }

  #tell(link: LinkState): void {
    this.#listener.linkChanged(link);
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#token.take({
      token: (token) => this.#open(token),
      ended: () => this.#waitForToken(),
      failed: () => this.#lost(),
    });
  }

  #open(token: string | undefined): void {
    // Each connection begins with a snapshot. Starting from nothing takes it even from a gateway whose clock went back.
    this.#state = initialState(this.#options.room);
    const socket = this.#openSocket(token);
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
      if (socket === this.#socket) this.#closed({ code, reason, hadToken: token !== undefined });
    });
    this.#deadlineTimer = setTimeout(() => this.#lost(), SNAPSHOT_DEADLINE_MS);
  }

  /** Undefined where the token cannot be a sub-protocol. */
  #openSocket(token: string | undefined): WebSocket | undefined {
    const { gateway, room } = this.#options;
    const url = webSocketAddress(gateway, 'v1/captions', { room });
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
    if (message?.kind === 'access') this.#token.told(message);
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
    this.#send(resyncMessage(this.#state));
    this.#resyncTimer = setTimeout(() => this.#askForSnapshot(), RESYNC_AGAIN_AFTER_MS);
  }

  /** False where there is no connection. */
  #send(message: CaptionMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeMessage(message));
    return true;
  }

  #closed({ code, reason, hadToken }: { code: number; reason: string; hadToken: boolean }): void {
    switch (closeMeaning(code, reason)) {
      case 'again':
        this.#lost();
        return;
      case 'token_ended':
        this.#token.hasEnded();
        // The first time there may be a newer one at hand; whoever gives tokens that have ended is not asked in a loop.
        if (this.#failedTries > 0) this.#lost();
        else {
          this.#failedTries += 1;
          this.#forgetSocket();
          this.#connect();
        }
        return;
      case 'final':
        if (code === 4401 && !hadToken) this.#stopFor('token_needed');
        else if (reason.startsWith('access_withdrawn:')) this.#stopFor('access_withdrawn');
        else this.#stopFor('told', closeText(reason));
    }
  }

  #lost(): void {
    this.#forgetSocket();
    this.#retryLater();
    this.#tell({ kind: 'lost' });
  }

  /** What is shown stays, and whoever gives tokens is asked again and again. */
  #waitForToken(): void {
    this.#forgetSocket();
    if (this.#token.canChange) this.#retryLater();
    this.#tell({ kind: 'refused', cause: 'token_ended', reason: '' });
  }

  #retryLater(): void {
    const longestMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    // Spread, so that all viewers of a gateway that was restarted do not come back at the same moment.
    this.#retryTimer = setTimeout(() => this.#connect(), longestMs * (0.5 + Math.random() / 2));
  }

  #stopFor(cause: RefusalCause, reason = ''): void {
    this.#forgetSocket();
    this.#tell({ kind: 'refused', cause, reason });
  }

  #forgetSocket(): void {
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#resyncTimer);
    this.#resyncTimer = undefined;
    this.#token.connectionLost();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
