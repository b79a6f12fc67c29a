import { WebSocket } from 'ws';
import {
  type AccessTokenSource,
  CaptionError,
  ClientToken,
  closeMeaning,
  decodeIngestAnswer,
  INGEST_VERSION,
  type IngestClientMessage,
  type IngestSampleRateHz,
  type IngestServerMessage,
  KeptAudio,
  type RoomName,
  type Speaker,
  SUBPROTOCOL,
  webSocketAddress,
} from '../../protocol/index.js';

const RECONNECT_DELAY_MS = 200;
/** Whoever gives tokens has none that is new: they are asked again after this. */
const TOKEN_RETRY_MS = 1000;
/** Without a connection for so long the client gives up. */
const GIVE_UP_AFTER_MS = 30_000;

export interface IngestClientOptions {
  /** Of the gateway, `http://…`. */
  readonly url: string;
  readonly room: RoomName;
  readonly speaker: Speaker;
  readonly sampleRateHz?: IngestSampleRateHz;
  readonly language?: string;
  readonly vocabulary?: readonly string[];
  /** The gateway does not do something of what was asked. */
  readonly warned?: (code: string, message: string) => void;
  /** LiveKit access token, where the gateway wants one; a function keeps the connection beyond the end of a token. */
  readonly token?: AccessTokenSource;
}

export interface IngestClient {
  /** Resolves with the first `welcome`; rejects with the gateway's error. */
  readonly ready: Promise<void>;
  readonly lastAck: Extract<IngestServerMessage, { kind: 'ack' }> | undefined;
  /** Audio is sent at once, or kept while there is no connection. */
  send(pcm: Int16Array): void;
  mute(): void;
  unmute(): void;
  /** Resolves when the last final is out. Rejects when the gateway refuses or cannot be reached. */
  end(): Promise<void>;
  /** Cuts the connection as a network would; it is made again and resumed. */
  dropConnection(): void;
  close(): void;
}

/** A speaker: sends audio, and resumes where the gateway stopped hearing it when a connection drops. */
export function connectIngest(options: IngestClientOptions): IngestClient {
  return new WebSocketIngestClient(options);
}

class WebSocketIngestClient implements IngestClient {
  readonly ready: Promise<void>;
  lastAck: Extract<IngestServerMessage, { kind: 'ack' }> | undefined;
  readonly #options: IngestClientOptions;
  readonly #sampleRateHz: IngestSampleRateHz;
  readonly #ended: Promise<void>;
  #settle: { ready: () => void; ended: () => void; failed: (error: CaptionError) => void };
  #socket: WebSocket | undefined;
  #isWelcome = false;
  #isOver = false;
  #isMuted = false;
  #wantsEnd = false;
  readonly #kept: KeptAudio;
  readonly #token: ClientToken;
  #disconnectedAtMs: number | undefined = performance.now();

  constructor(options: IngestClientOptions) {
    this.#options = options;
    this.#sampleRateHz = options.sampleRateHz ?? 16_000;
    this.#kept = new KeptAudio({ sampleRateHz: this.#sampleRateHz, now: () => performance.now() });
    this.#token = new ClientToken({
      source: options.token,
      send: (token) => this.#isWelcome && this.#sendMessage({ kind: 'token', token }),
    });
    const settle = { ready: noop, ended: noop, failed: [] as ((error: CaptionError) => void)[] };
    this.ready = new Promise((resolve, reject) => {
      settle.ready = resolve;
      settle.failed.push(reject);
    });
    this.#ended = new Promise((resolve, reject) => {
      settle.ended = resolve;
      settle.failed.push(reject);
    });
    // Whoever awaits neither is not to be ended by an unhandled rejection.
    this.ready.catch(noop);
    this.#ended.catch(noop);
    this.#settle = {
      ready: () => settle.ready(),
      ended: () => settle.ended(),
      failed: (error) => settle.failed.forEach((reject) => reject(error)),
    };
    this.#connect();
  }

  send(pcm: Int16Array): void {
    this.#kept.add(pcm);
    if (this.#isWelcome) this.#sendPcm(pcm);
  }

  mute(): void {
    this.#isMuted = true;
    if (this.#isWelcome) this.#sendMessage({ kind: 'mute' });
  }

  unmute(): void {
    this.#isMuted = false;
    if (this.#isWelcome) this.#sendMessage({ kind: 'unmute' });
  }

  end(): Promise<void> {
    this.#wantsEnd = true;
    if (this.#isWelcome) this.#sendEnd();
    return this.#ended;
  }

  dropConnection(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#isOver = true;
    this.#token.close();
    this.#socket?.close();
  }

  #connect(): void {
    if (this.#isOver) return;
    const askAgain = (): void => this.#retryAfter(TOKEN_RETRY_MS);
    this.#token.take({ token: (token) => this.#open(token), ended: askAgain, failed: askAgain });
  }

  #open(token: string | undefined): void {
    const { url } = this.#options;
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const socket = new WebSocket(webSocketAddress(url, 'v1/ingest'), [SUBPROTOCOL], {
      headers,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.once('open', () => this.#sayHello());
    socket.on('message', (data) => this.#read((data as Buffer).toString('utf8')));
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => this.#closed(code, reason.toString()));
  }

  #sayHello(): void {
    const { room, speaker, language, vocabulary } = this.#options;
    const { resume } = this.#kept;
    this.#sendMessage({
      kind: 'hello',
      version: INGEST_VERSION,
      room,
      speaker: { identity: speaker.identity, name: speaker.name },
      sampleRateHz: this.#sampleRateHz,
      ...(language === undefined ? {} : { language }),
      ...(vocabulary === undefined ? {} : { vocabulary }),
      ...(resume === undefined ? {} : { resume }),
    });
  }

  #read(text: string): void {
    try {
      const message = decodeIngestAnswer(text);
      if (message !== undefined) this.#receive(message);
    } catch (error) {
      // Something else answers there: trying again would not help.
      this.#isOver = true;
      this.#settle.failed(
        error instanceof CaptionError ? error : new CaptionError('internal_error', String(error)),
      );
      this.#socket?.terminate();
    }
  }

  #receive(message: IngestServerMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.#welcome(message);
        return;
      case 'ack':
        this.lastAck = message;
        this.#kept.acknowledged(message);
        return;
      case 'ended':
        this.#isOver = true;
        this.#settle.ended();
        return;
      case 'access':
        this.#token.told(message);
        return;
      case 'warning':
        this.#options.warned?.(message.code, message.message);
        return;
      case 'error':
        if (message.retryable) return;
        this.#isOver = true;
        this.#settle.failed(new CaptionError(message.code, message.message));
    }
  }

  #welcome(welcome: Extract<IngestServerMessage, { kind: 'welcome' }>): void {
    this.#isWelcome = true;
    this.#disconnectedAtMs = undefined;
    for (const { behindMs, pcm } of this.#kept.welcomed(welcome)) {
      if (behindMs !== undefined) this.#sendMessage({ kind: 'spoken', behindMs });
      for (const piece of pcm) this.#sendPcm(piece);
    }
    this.#settle.ready();
    if (this.#isMuted) this.#sendMessage({ kind: 'mute' });
    if (this.#wantsEnd) this.#sendEnd();
  }

  #sendEnd(): void {
    this.#kept.endSent();
    this.#sendMessage({ kind: 'end' });
  }

  #closed(code: number, reason: string): void {
    this.#isWelcome = false;
    this.#token.connectionLost();
    const meaning = closeMeaning(code, reason);
    if (meaning === 'token_ended') this.#token.hasEnded();
    this.#isOver ||= meaning === 'final' || (meaning === 'token_ended' && !this.#token.canChange);
    if (this.#isOver) this.#giveUp(code, reason);
    else this.#retryAfter(RECONNECT_DELAY_MS);
  }

  #retryAfter(delayMs: number): void {
    this.#disconnectedAtMs ??= performance.now();
    if (performance.now() - this.#disconnectedAtMs > GIVE_UP_AFTER_MS) this.#giveUp(0, '');
    else setTimeout(() => this.#connect(), delayMs);
  }

  #giveUp(code: number, reason: string): void {
    this.#isOver = true;
    this.#token.close();
    const text = reason === '' ? `There is no connection to the gateway (${code}).` : reason;
    this.#settle.failed(new CaptionError('connection_closed', text));
  }

  #sendMessage(message: IngestClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #sendPcm(pcm: Int16Array): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }
}

const noop = (): void => undefined;
