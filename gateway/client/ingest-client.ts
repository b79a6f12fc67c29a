import { WebSocket } from 'ws';
import {
  CaptionError,
  decodeIngestAnswer,
  INGEST_VERSION,
  type IngestClientMessage,
  type IngestSampleRateHz,
  type IngestServerMessage,
  KeptAudio,
  type RoomName,
  type Speaker,
  SUBPROTOCOL,
} from '../../protocol/index.js';

const RECONNECT_DELAY_MS = 200;
/** Without a connection for so long the client gives up. */
const GIVE_UP_AFTER_MS = 30_000;
/** Audio kept for a resume; the gateway waits about as long for one. */
const MAX_KEPT_SECONDS = 30;

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
  /** LiveKit access token, where the gateway wants one. */
  readonly token?: string;
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
  #disconnectedAtMs: number | undefined = performance.now();

  constructor(options: IngestClientOptions) {
    this.#options = options;
    this.#sampleRateHz = options.sampleRateHz ?? 16_000;
    this.#kept = new KeptAudio({ maxSamples: MAX_KEPT_SECONDS * this.#sampleRateHz });
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
    this.#socket?.close();
  }

  #connect(): void {
    const { url, token } = this.#options;
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ingest`, [SUBPROTOCOL], {
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
        this.#welcome(message.stream, message.expectSample);
        return;
      case 'ack':
        this.lastAck = message;
        this.#kept.acknowledged(message.receivedThroughSample);
        return;
      case 'ended':
        this.#isOver = true;
        this.#settle.ended();
        return;
      // Nobody has a newer token to hand over.
      case 'access':
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

  #welcome(stream: string, expectSample: number): void {
    this.#isWelcome = true;
    this.#disconnectedAtMs = undefined;
    for (const pcm of this.#kept.welcomed(stream, expectSample)) this.#sendPcm(pcm);
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
    this.#disconnectedAtMs ??= performance.now();
    this.#isOver ||= performance.now() - this.#disconnectedAtMs > GIVE_UP_AFTER_MS;
    if (this.#isOver) {
      this.#settle.failed(
        new CaptionError(
          'connection_closed',
          reason === '' ? `There is no connection to the gateway (${code}).` : reason,
        ),
      );
      return;
    }
    setTimeout(() => this.#isOver || this.#connect(), RECONNECT_DELAY_MS);
  }

  #sendMessage(message: IngestClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #sendPcm(pcm: Int16Array): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }
}

const noop = (): void => undefined;
