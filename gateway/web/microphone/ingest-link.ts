/** A speaker's connection to `/v1/ingest` from a browser: it is made again, and resumed, for as long as it is wanted. */
import {
  type AccessTokenSource,
  ClientToken,
  closeMeaning,
  closeText,
  decodeIngestAnswer,
  errorMessage,
  INGEST_VERSION,
  type IngestClientMessage,
  type IngestServerMessage,
  KeptAudio,
  type KeptRun,
  type RoomName,
  type Speaker,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
  webSocketAddress,
} from '../../../protocol/index.js';
import { CAPTURE_RATE_HZ } from './captured-sound.js';

/** A connection that cannot carry sound as fast as it is spoken is made anew; what is older than is kept is told as missing then. */
const MAX_UNSENT_BYTES = 15 * CAPTURE_RATE_HZ * 2;
const FIRST_RETRY_MS = 300;
const MAX_RETRY_MS = 5000;
/** The last words are recognised within that; else the page does not wait for them. */
const END_DEADLINE_MS = 5000;
const WELCOME_DEADLINE_MS = 10_000;

export type IngestLinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  /** It is tried again by itself; sound is kept meanwhile. */
  | { readonly kind: 'lost' }
  /** For good. `reason` is the gateway's, for a person. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface IngestLinkOptions {
  /** Of the gateway, `http://…` or `https://…`. */
  readonly gateway: string;
  readonly room: RoomName;
  readonly speaker: Pick<Speaker, 'identity' | 'name'>;
  /** LiveKit access token, or what gives the one that counts now; undefined for none. */
  readonly token: AccessTokenSource | undefined;
  readonly changed: (state: IngestLinkState) => void;
}

/** Nothing happens before `start`. `end` or `close` when done. */
export class IngestLink {
  readonly #options: IngestLinkOptions;
  readonly #kept = new KeptAudio({ sampleRateHz: CAPTURE_RATE_HZ, now: () => performance.now() });
  readonly #token: ClientToken;
  #socket: WebSocket | undefined;
  #isWelcome = false;
  #isOver = false;
  /** For the next try. */
  #isWaiting = false;
  #failedTries = 0;
  /** Of what was sent again and may be on its way still. */
  #replayedBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended: (() => void) | undefined;

  constructor(options: IngestLinkOptions) {
    this.#options = options;
    this.#token = new ClientToken({
      source: options.token,
      send: (token) => this.#isWelcome && this.#send({ kind: 'token', token }),
    });
  }

  start(): void {
    this.#options.changed({ kind: 'connecting' });
    this.#connect();
  }

  /** There is a newer access token: whoever gave the first one is to be asked again. */
  tokenChanged(): void {
    if (this.#isOver) return;
    if (this.#isWaiting) this.#connect();
    else this.#token.renew();
  }

  /** Sent at once, or kept while there is no connection. */
  send(pcm: Int16Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    this.#kept.add(pcm);
    if (!this.#isWelcome || this.#socket === undefined) return;
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount <= MAX_UNSENT_BYTES) this.#replayedBytes = 0;
    if (bufferedAmount > MAX_UNSENT_BYTES + this.#replayedBytes) this.#lost();
    else this.#socket.send(pcm);
  }

  /** Nothing more is said: resolves when the last words are captions, or too late to wait for. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    if (this.#isWelcome) {
      this.#kept.endSent();
      this.#send({ kind: 'end' });
      const ended = new Promise<void>((resolve) => (this.#ended = resolve));
      const deadline = setTimeout(() => this.#ended?.(), END_DEADLINE_MS);
      await ended;
      clearTimeout(deadline);
    }
    this.close();
  }

  /** Idempotent. Nothing is told afterwards. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#token.close();
    this.#ended?.();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#isWaiting = false;
    this.#token.take({
      token: (token) => this.#open(token),
      ended: () => this.#retryLater(),
      failed: () => this.#retryLater(),
    });
  }

  #open(token: string | undefined): void {
    const { gateway } = this.#options;
    const url = webSocketAddress(gateway, 'v1/ingest');
    const subprotocols = token === undefined ? [] : [`${TOKEN_SUBPROTOCOL_PREFIX}${token}`];
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [SUBPROTOCOL, ...subprotocols]);
    } catch {
      this.#refused('the access token is not well-formed');
      return;
    }
    this.#socket = socket;
    socket.addEventListener('open', () => this.#sayHello());
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#read(String(data));
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), WELCOME_DEADLINE_MS);
  }

  #sayHello(): void {
    const { room, speaker } = this.#options;
    const { resume } = this.#kept;
    this.#send({
      kind: 'hello',
      version: INGEST_VERSION,
      room,
      speaker,
      sampleRateHz: CAPTURE_RATE_HZ,
      ...(resume === undefined ? {} : { resume }),
    });
  }

  #read(text: string): void {
    try {
      const message = decodeIngestAnswer(text);
      if (message !== undefined) this.#receive(message);
    } catch (error) {
      // Something else answers there: trying again would not help.
      this.#refused(errorMessage(error));
    }
  }

  #receive(message: IngestServerMessage): void {
    switch (message.kind) {
      case 'welcome':
        clearTimeout(this.#timer);
        this.#failedTries = 0;
        this.#isWelcome = true;
        this.#replay(this.#kept.welcomed(message));
        this.#options.changed({ kind: 'connected' });
        return;
      case 'ack':
        this.#kept.acknowledged(message);
        return;
      case 'ended':
        this.#ended?.();
        return;
      case 'error':
        if (!message.retryable) this.#refused(message.message);
        return;
      // Of a vocabulary, and none is sent here.
      case 'warning':
        return;
      case 'access':
        this.#token.told(message);
    }
  }

  #replay(runs: readonly KeptRun[]): void {
    this.#replayedBytes = 0;
    for (const { behindMs, pcm } of runs) {
      if (behindMs !== undefined) this.#send({ kind: 'spoken', behindMs });
      for (const piece of pcm) {
        this.#socket?.send(piece as Int16Array<ArrayBuffer>);
        this.#replayedBytes += piece.byteLength;
      }
    }
  }

  #closed(code: number, reason: string): void {
    switch (closeMeaning(code, reason)) {
      case 'again':
        this.#lost();
        return;
      case 'token_ended':
        this.#token.hasEnded();
        if (this.#token.canChange) this.#lost();
        else this.#refused(closeText(reason));
        return;
      // Before hello the gateway tells its reason in the close alone.
      case 'final':
        this.#refused(closeText(reason));
    }
  }

  #lost(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isWelcome = false;
    this.#token.connectionLost();
    this.#ended?.();
    socket?.close();
    this.#retryLater();
  }

  /** Sound is kept meanwhile, the oldest goes. */
  #retryLater(): void {
    const longestMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    clearTimeout(this.#timer);
    this.#isWaiting = true;
    this.#timer = setTimeout(() => this.#connect(), longestMs * (0.5 + Math.random() / 2));
    this.#options.changed({ kind: 'lost' });
  }

  #refused(reason: string): void {
    this.close();
    this.#options.changed({ kind: 'refused', reason });
  }

  #send(message: IngestClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }
}
