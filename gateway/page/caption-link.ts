/**
 * The page's connection to `/v1/captions`: folds what arrives with the protocol's reducer, asks for a snapshot where
 * something is missing, and connects again when the connection ends.
 */
import {
  applyMessage,
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  resyncMessage,
  type RoomName,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';

/** See protocol/README.md, "After loss". */
const RESYNC_AFTER_MS = 500;
const RESYNC_AGAIN_AFTER_MS = 2000;
/** The wait before the first new try; doubled with each further one up to the maximum. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** A connection that has told nothing by then is given up. */
const SNAPSHOT_DEADLINE_MS = 10_000;

export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** It is tried again by itself. */
  | { readonly kind: 'lost' }
  /** For good: the same try would fail again. `reason` is for a person. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface CaptionLinkOptions {
  readonly room: RoomName;
  /** LiveKit access token; undefined for none. */
  readonly token: string | undefined;
  /** The captions changed. Never called with a state in which nothing is known. */
  readonly changed: (state: CaptionState) => void;
  readonly linkChanged: (link: LinkState) => void;
}

/** Connects when told to `start`, and then stays for as long as the page does. */
export class CaptionLink {
  readonly #options: CaptionLinkOptions;
  #state: CaptionState;
  #socket: WebSocket | undefined;
  #failedTries = 0;
  #deadlineTimer: ReturnType<typeof setTimeout> | undefined;
  #resyncTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CaptionLinkOptions) {
    this.#options = options;
    this.#state = initialState(options.room);
  }

  start(): void {
    this.#options.linkChanged({ kind: 'connecting' });
    this.#connect();
  }

  /** Does not wait any longer where it waits for the next try. */
  retryNow(): void {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    // Each connection begins with a snapshot. Starting from nothing takes it even from a gateway whose clock went back.
    this.#state = initialState(this.#options.room);
    const socket = this.#openSocket();
    if (socket === undefined) {
      this.#refuse('the access token in the address of this page is not well-formed.');
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
    const { room, token } = this.#options;
    const url = new URL(`/v1/captions?room=${encodeURIComponent(room)}`, location.href);
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
      this.#refuse('this page cannot read what the gateway sends. Load the page again.');
      return;
    }
    const next = message === undefined ? this.#state : applyMessage(this.#state, message);
    if (next === this.#state) return;
    const isFirst = this.#state.epochMs === 0 && next.epochMs !== 0;
    this.#state = next;
    this.#watchForHole();
    if (next.epochMs === 0) return;
    if (isFirst) this.#connected();
    this.#options.changed(next);
  }

  #connected(): void {
    clearTimeout(this.#deadlineTimer);
    this.#failedTries = 0;
    this.#options.linkChanged({ kind: 'connected' });
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
      this.#refuse(this.#refusalText(code, reason));
      return;
    }
    this.#forgetSocket();
    const longestMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    // Spread, so that all viewers of a gateway that was restarted do not come back at the same moment.
    const waitMs = longestMs * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#connect(), waitMs);
    this.#options.linkChanged({ kind: 'lost' });
  }

  /** The gateway's reason is `code: text`. */
  #refusalText(code: number, reason: string): string {
    if (code === 4401 && this.#options.token === undefined) {
      return 'an access token is needed, as #token=… at the end of the address of this page.';
    }
    return reason.replace(/^[a-z_]+: /, '');
  }

  #refuse(reason: string): void {
    this.#forgetSocket();
    this.#options.linkChanged({ kind: 'refused', reason });
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
