import type { RawData, WebSocket } from 'ws';
import { detached } from '../../asr/detached.js';
import {
  CAPTIONER_VERSION,
  CaptionError,
  type CaptionerClientMessage,
  type CaptionerHello,
  type CaptionerServerMessage,
  decodeCaptionerMessage,
} from '../../protocol/index.js';
import type { RateLimit } from '../bounds/rate-limit.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';
import type { ConnectionRights } from '../server/access/connection-rights.js';
import { CLOSE, closeWith, toCaptionError } from '../server/websocket-closing.js';
import { takeMessage } from './captioner-pace.js';
import type { CaptionerSeat } from './captioner-seat.js';
import { recognitionFinished } from './recognition-finished.js';

const SPEAKERS_INTERVAL_MS = 500;

/** Gives seats. */
export interface CaptionerHost {
  /** Throws CaptionError `forbidden`, `too_many_captioners`, `too_many_rooms` or `shutting_down`. */
  seatFor(hello: CaptionerHello, connection: CaptionerConnection): CaptionerSeat;
  leave(seat: CaptionerSeat, connection: CaptionerConnection): void;
  /** What this connection may do, for as long as it is open. */
  openRights(connection: CaptionerConnection): ConnectionRights;
  readonly helloDeadlineMs: number;
  /** Of this captioner's messages, over all connections. */
  readonly limit: RateLimit;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

/** One connection on `/v1/captioner`: messages are handled one after the other, in order. */
export class CaptionerConnection {
  readonly #socket: WebSocket;
  readonly #host: CaptionerHost;
  readonly #rights: ConnectionRights;
  #seat: CaptionerSeat | undefined;
  #timer: NodeJS.Timeout;
  #toldSpeakers = '';
  /** Messages that came while recognition finishes; the socket is paused, so no more than one read of it. */
  #early: RawData[] | undefined;
  #isEnding = false;

  constructor(socket: WebSocket, host: CaptionerHost) {
    this.#socket = socket;
    this.#host = host;
    this.#rights = host.openRights(this);
    this.#timer = setTimeout(() => {
      const deadlineS = Math.round(host.helloDeadlineMs / 1000);
      this.fail(
        new CaptionError('hello_missing', `The first message must be hello, within ${deadlineS} seconds.`),
      );
    }, host.helloDeadlineMs);
    socket.on('message', (data) => this.#receive(data));
    socket.once('close', () => this.#closed());
  }

  settled(line: number, text: string): void {
    this.send({ kind: 'settled', line, text });
  }

  /** Tells the client and ends the connection: what was written settles, and recognition goes on. */
  fail(thrown: unknown): void {
    if (this.#isEnding) return;
    const error = toCaptionError(thrown);
    this.#leave();
    this.#host.metrics.refused(error.code);
    if (error.code === 'internal_error') this.#host.log.error({ err: error.cause }, 'captioner failed');
    this.send({ kind: 'error', code: error.code, message: error.message, retryable: error.retryable });
    closeWith(this.#socket, error);
  }

  #receive(data: RawData): void {
    if (this.#isEnding) return;
    if (this.#early !== undefined) {
      this.#early.push(data);
      return;
    }
    try {
      takeMessage(this.#host.limit);
      const message = decodeCaptionerMessage((data as Buffer).toString('utf8'));
      if (message !== undefined) this.#handle(message);
    } catch (error) {
      this.fail(error);
    }
  }

  #handle(message: CaptionerClientMessage): void {
    switch (message.kind) {
      case 'hello':
        if (this.#seat !== undefined)
          throw new CaptionError('hello_repeated', 'Say hello once a connection.');
        this.#greet(message);
        return;
      case 'line':
        this.#requireSeat().write(message);
        this.send({ kind: 'shown', line: message.line });
        return;
      case 'settle':
        this.#requireSeat().settle(message.line);
        return;
      case 'replace': {
        const seat = this.#requireSeat();
        seat.replace(message.replaces);
        this.#holdUntil(recognitionFinished(seat.room, message.replaces), () => this.#tellSpeakers(seat));
        return;
      }
      case 'token':
        detached('token of a captioner', this.#rights.renew(message.token));
        return;
      case 'end':
        this.#requireSeat();
        this.#leave();
        this.send({ kind: 'ended' });
        this.#socket.close(CLOSE.normal, 'ended');
    }
  }

  #greet(hello: CaptionerHello): void {
    const seat = this.#host.seatFor(hello, this);
    this.#seat = seat;
    seat.take(hello.replaces);
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#tellSpeakers(seat), SPEAKERS_INTERVAL_MS);
    this.#holdUntil(recognitionFinished(seat.room, hello.replaces), () => {
      const { correctableLines, settleAfterMs } = hello;
      const { id: session, nextLine } = seat;
      const kept = { session, nextLine, correctableLines, settleAfterMs };
      this.send({ kind: 'welcome', version: CAPTIONER_VERSION, ...kept });
      this.#rights.tell();
      this.#tellSpeakers(seat);
    });
  }

  /** Nothing is read until then; what has been read already is handled after it. */
  #holdUntil(finished: Promise<void>, then: () => void): void {
    const early: RawData[] = [];
    this.#early = early;
    this.#socket.pause();
    finished
      .then(() => this.#goOn(early, then))
      .catch((error: unknown) => {
        this.fail(error);
        this.#socket.resume();
      });
  }

  #isHolding(): boolean {
    return this.#early !== undefined;
  }

  #goOn(early: readonly RawData[], then: () => void): void {
    this.#early = undefined;
    if (!this.#isEnding) then();
    // One of them may make the others wait again.
    for (const data of early) this.#receive(data);
    if (!this.#isHolding()) this.#socket.resume();
  }

  #tellSpeakers(seat: CaptionerSeat): void {
    const speakers = seat.speakers();
    const now = JSON.stringify(speakers);
    if (now === this.#toldSpeakers || this.#early !== undefined) return;
    this.#toldSpeakers = now;
    this.send({ kind: 'speakers', speakers });
  }

  #requireSeat(): CaptionerSeat {
    if (this.#seat !== undefined) return this.#seat;
    throw new CaptionError('hello_missing', 'The first message must be hello.');
  }

  send(message: CaptionerServerMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #leave(): void {
    if (this.#seat !== undefined) this.#host.leave(this.#seat, this);
    this.#isEnding = true;
    clearTimeout(this.#timer);
  }

  #closed(): void {
    this.#rights.close();
    this.#leave();
  }
}
