import type { RawData, WebSocket } from 'ws';
import {
  CaptionError,
  decodeIngestMessage,
  INGEST_VERSION,
  type IngestClientMessage,
  type IngestHello,
  type IngestServerMessage,
} from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { ConnectionRights, OpenConnectionRights } from './access/connection-rights.js';
import { shownOwner } from './access/token-owner.js';
import type { Permissions } from './authentication.js';
import type { IngestLimits } from './ingest-limits.js';
import {
  BYTES_PER_SAMPLE,
  type IngestOwner,
  type IngestProgress,
  type IngestStream,
} from './ingest-stream.js';
import { CLOSE, closeWith, toCaptionError } from './websocket-closing.js';
import { detached } from '../../asr/detached.js';

const ACK_INTERVAL_MS = 1000;
/** While nobody talks there is little to acknowledge. */
const QUIET_ACK_INTERVAL_MS = 5000;
/** What the voice gate and a frame hold; while somebody talks recognition is further behind than this. */
const QUIET_BEHIND_MS = 100;

/** While audio that is sent again waits for recognition, this is looked at so often, and for so long at most. */
const WAIT_STEP_MS = 50;
const MAX_WAIT_MS = 10_000;

export interface OpenedStream {
  readonly stream: IngestStream;
  /** Of the stream that the client wanted to go on with; undefined where that is not known here. */
  readonly finalThroughSample: number | undefined;
}

/** What a connection needs of the gateway. */
export interface IngestHost {
  /** Opens or resumes. Throws CaptionErrors. */
  openStream(hello: IngestHello): Promise<OpenedStream>;
  endStream(stream: IngestStream): Promise<void>;
  /** An unmuted speaker who sends nothing for so long is disconnected. */
  readonly idleMs: number;
  readonly helloDeadlineMs: number;
  readonly now: () => number;
  readonly log: Logger;
}

/** One connection on `/v1/ingest`: checks what comes, hands it to a stream, acknowledges. */
export class IngestConnection implements IngestOwner {
  readonly #socket: WebSocket;
  readonly #rights: ConnectionRights;
  readonly #host: IngestHost;
  readonly #metrics: GatewayMetrics;
  readonly #greeted: () => void;
  #stream: IngestStream | undefined;
  readonly #limits: IngestLimits;
  #acked: IngestProgress | undefined;
  #ackedAtMs = -Infinity;
  #timer: NodeJS.Timeout;
  /** What came with the hello, while its stream is being opened; no more than one read of the socket. */
  #early: { data: RawData; isBinary: boolean }[] | undefined;
  #waitTimer: NodeJS.Timeout | undefined;
  /** What was said, once it is. */
  #hello: IngestHello | undefined;
  #isEnding = false;

  constructor(options: {
    socket: WebSocket;
    permissions: Permissions;
    openRights: OpenConnectionRights;
    host: IngestHost;
    metrics: GatewayMetrics;
    /** What whoever has this token may send, over all connections. */
    limits: IngestLimits;
    /** Hello has been said. */
    greeted: () => void;
  }) {
    this.#socket = options.socket;
    this.#rights = options.openRights({
      permissions: options.permissions,
      require: (mine) => {
        if (this.#hello !== undefined) mine.requireSpeak(this.#hello.room, this.#hello.speaker.identity);
      },
      send: (message) => this.#send(message),
      ended: (error) => this.#fail(error),
    });
    this.#limits = options.limits;
    this.#greeted = options.greeted;
    this.#host = options.host;
    this.#metrics = options.metrics;
    this.#timer = setTimeout(() => {
      const deadlineS = Math.round(options.host.helloDeadlineMs / 1000);
      this.#fail(
        new CaptionError('hello_missing', `The first message must be hello, within ${deadlineS} seconds.`),
      );
    }, options.host.helloDeadlineMs);
    this.#socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.once('close', () => this.#closed());
  }

  takenOver(error: CaptionError): void {
    this.#stream = undefined;
    this.#fail(error);
  }

  warned({ code, message }: CaptionError): void {
    if (!this.#isEnding) this.#send({ kind: 'warning', code, message });
  }

  /** At once: what a client does not know to be final it sends again when this gateway dies. */
  progressed(): void {
    if (this.#stream !== undefined) this.#tellProgress(this.#stream.progress());
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isEnding) return;
    if (this.#early !== undefined) {
      this.#early.push({ data, isBinary });
      return;
    }
    try {
      const bytes = data as Buffer;
      this.#limits.take(bytes.length, isBinary);
      if (isBinary) this.#push(bytes);
      else this.#handle(decodeIngestMessage(bytes.toString('utf8')));
    } catch (error) {
      this.#fail(error);
    }
  }

  #push(bytes: Buffer): void {
    const stream = this.#requireStream();
    stream.push(bytes);
    this.#metrics.ingestAudio((bytes.length / BYTES_PER_SAMPLE / stream.hello.sampleRateHz) * 1000);
    if (stream.mustWait && this.#waitTimer === undefined) this.#waitFor(stream);
  }

  /** Nothing is read from the client until recognition has caught up: what it cannot take would be given up as overload. */
  #waitFor(stream: IngestStream): void {
    this.#socket.pause();
    const untilMs = this.#host.now() + MAX_WAIT_MS;
    this.#waitTimer = setInterval(() => {
      if (stream.mustWait && this.#host.now() < untilMs) return;
      this.#goOn();
    }, WAIT_STEP_MS);
  }

  #goOn(): void {
    clearInterval(this.#waitTimer);
    this.#waitTimer = undefined;
    this.#socket.resume();
  }

  #handle(message: IngestClientMessage | undefined): void {
    if (message === undefined) return;
    switch (message.kind) {
      case 'hello':
        if (this.#stream !== undefined)
          throw new CaptionError('hello_repeated', 'Say hello once a connection.');
        detached('ingest connection', this.#greet(message));
        return;
      case 'mute':
        this.#requireStream().mute();
        return;
      case 'unmute':
        this.#requireStream().unmute();
        return;
      case 'spoken':
        this.#requireStream().spokenAgo(message.behindMs);
        return;
      case 'vocabulary':
        this.#requireStream().setVocabulary(message.vocabulary);
        return;
      case 'token':
        detached('token of a speaker', this.#rights.renew(message.token));
        return;
      case 'end':
        detached('ingest connection', this.#end(this.#requireStream()));
    }
  }

  /** Nothing else is heard while the stream is being opened. */
  async #greet(said: IngestHello): Promise<void> {
    const early: { data: RawData; isBinary: boolean }[] = [];
    this.#early = early;
    // It was said in time. Opening may take longer: what was said on a former stream is finished first.
    clearTimeout(this.#timer);
    this.#socket.pause();
    try {
      const { permissions } = this.#rights;
      permissions.requireSpeak(said.room, said.speaker.identity);
      const hello = { ...said, speaker: shownOwner(said.speaker, permissions.owner) };
      this.#hello = hello;
      this.#greeted();
      this.#limits.takeHello();
      const { stream, finalThroughSample } = await this.#host.openStream(hello);
      stream.attach(this);
      this.#stream = stream;
      if (this.#socket.readyState !== this.#socket.OPEN) {
        stream.detach(this);
        this.#isEnding = true;
        return;
      }
      if (hello.resume?.stream === stream.id) stream.skipTo(hello.resume.fromSample);
      this.#timer = setInterval(() => this.#tick(stream), ACK_INTERVAL_MS);
      this.#send({
        kind: 'welcome',
        version: INGEST_VERSION,
        stream: stream.id,
        expectSample: stream.expectSample,
        ...(finalThroughSample === undefined ? {} : { finalThroughSample }),
      });
      this.#rights.tell();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#early = undefined;
      for (const { data, isBinary } of early) this.#receive(data, isBinary);
      // Some of it may have to wait for recognition, and what follows it too.
      if (this.#waitTimer === undefined) this.#socket.resume();
    }
  }

  #tick(stream: IngestStream): void {
    const nowMs = this.#host.now();
    this.#acknowledge(stream.progress(), nowMs);
    if (stream.isMuted || stream.silentForMs(nowMs) < this.#host.idleMs) return;
    const idleS = Math.round(this.#host.idleMs / 1000);
    const message = `No audio for ${idleS} s. Send mute before falling silent, or connect again and resume.`;
    this.#fail(new CaptionError('ingest_idle', message, { retryable: true }));
  }

  #acknowledge(progress: IngestProgress, nowMs: number): void {
    const isNews =
      progress.receivedThroughSample !== this.#acked?.receivedThroughSample ||
      progress.recognisedThroughSample !== this.#acked.recognisedThroughSample ||
      progress.finalThroughSample !== this.#acked.finalThroughSample;
    const isQuiet = progress.behindMs < QUIET_BEHIND_MS && (this.#acked?.behindMs ?? 0) < QUIET_BEHIND_MS;
    if (!isNews || (isQuiet && nowMs - this.#ackedAtMs < QUIET_ACK_INTERVAL_MS)) return;
    this.#tellProgress(progress);
  }

  #tellProgress(progress: IngestProgress): void {
    this.#send({ kind: 'ack', ...progress });
    this.#acked = progress;
    this.#ackedAtMs = this.#host.now();
  }

  async #end(stream: IngestStream): Promise<void> {
    this.#isEnding = true;
    clearInterval(this.#timer);
    try {
      await this.#host.endStream(stream);
      this.#send({ kind: 'ended', receivedThroughSample: stream.expectSample });
      this.#socket.close(CLOSE.normal, 'ended');
    } catch (error) {
      this.#fail(error);
    }
  }

  #requireStream(): IngestStream {
    if (this.#stream !== undefined) return this.#stream;
    throw new CaptionError('hello_missing', 'The first message must be hello.');
  }

  /** Tells the client and ends the connection. The stream stays for a while: the client may resume. */
  #fail(thrown: unknown): void {
    const error = toCaptionError(thrown);
    this.#isEnding = true;
    clearTimeout(this.#timer);
    // Or the other side's goodbye would not be read.
    if (this.#waitTimer !== undefined) this.#goOn();
    this.#metrics.refused(error.code);
    if (error.code === 'internal_error') this.#host.log.error({ err: error.cause }, 'ingest failed');
    this.#send({ kind: 'error', code: error.code, message: error.message, retryable: error.retryable });
    closeWith(this.#socket, error);
  }

  #send(message: IngestServerMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #closed(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#waitTimer);
    this.#rights.close();
    this.#stream?.detach(this);
  }
}
