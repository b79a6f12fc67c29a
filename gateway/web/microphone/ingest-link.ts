/** A speaker's connection to `/v1/ingest` from a browser: it is made again, and resumed, for as long as it is wanted. */
import {
  decodeIngestAnswer,
  errorMessage,
  INGEST_VERSION,
  type IngestClientMessage,
  type IngestServerMessage,
  KeptAudio,
  type RoomName,
  type Speaker,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../../protocol/index.js';
import { CAPTURE_RATE_HZ } from './captured-sound.js';

/** Less than a gateway lets run ahead of real time (CAPTION_INGEST_AHEAD_S), because all of it is sent at once. */
const KEPT_SECONDS = 15;
/** A connection that cannot carry sound as fast as it is spoken is made anew: the oldest sound goes, and is told as missing. */
const MAX_UNSENT_BYTES = KEPT_SECONDS * CAPTURE_RATE_HZ * 2;
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
  /** LiveKit access token; undefined for none. */
  readonly token: string | undefined;
  readonly changed: (state: IngestLinkState) => void;
}

/** Nothing happens before `start`. `end` or `close` when done. */
export class IngestLink {
  readonly #options: IngestLinkOptions;
  readonly #kept = new KeptAudio({ maxSamples: KEPT_SECONDS * CAPTURE_RATE_HZ });
  #socket: WebSocket | undefined;
  #isWelcome = false;
  #isOver = false;
  #failedTries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ended: (() => void) | undefined;

  constructor(options: IngestLinkOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.changed({ kind: 'connecting' });
    this.#connect();
  }

  /** Sent at once, or kept while there is no connection. */
  send(pcm: Int16Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    this.#kept.add(pcm);
    if (!this.#isWelcome || this.#socket === undefined) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.#lost(this.#socket);
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
    this.#ended?.();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #connect(): void {
    const { gateway, token } = this.#options;
    const url = new URL('/v1/ingest', gateway);
    url.protocol = url.protocol.replace('http', 'ws');
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
    this.#timer = setTimeout(() => this.#lost(socket), WELCOME_DEADLINE_MS);
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
        for (const pcm of this.#kept.welcomed(message.stream, message.expectSample))
          this.#socket?.send(pcm as Int16Array<ArrayBuffer>);
        this.#options.changed({ kind: 'connected' });
        return;
      case 'ack':
        this.#kept.acknowledged(message.receivedThroughSample);
        return;
      case 'ended':
        this.#ended?.();
        return;
      case 'error':
        if (!message.retryable) this.#refused(message.message);
        return;
      // Of a vocabulary, and none is sent here.
      case 'warning':
      case 'access':
    }
  }

  #closed(code: number, reason: string): void {
    // Before hello the gateway tells its reason in the close alone: `code: text`.
    if (code >= 4400 && code < 4408) this.#refused(reason.replace(/^[a-z_]+: /, ''));
    else if (this.#socket !== undefined) this.#lost(this.#socket);
  }

  #lost(socket: WebSocket): void {
    this.#socket = undefined;
    this.#isWelcome = false;
    this.#ended?.();
    socket.close();
    const longestMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), longestMs * (0.5 + Math.random() / 2));
    this.#options.changed({ kind: 'lost' });
  }

  #refused(reason: string): void {
    this.close();
    this.#options.changed({ kind: 'refused', reason });
  }

  #send(message: IngestClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
