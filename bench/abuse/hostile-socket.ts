/** A WebSocket of an attacker: counts what it sends and what it is answered, and never throws. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { roomName, SUBPROTOCOL, encodeMessage } from '../../protocol/index.js';
import { pause } from '../../gateway/pause.js';
import type { AttackContext } from './attack.js';

/** A gateway that is busy for longer than this counts as one that does not answer. */
const OPEN_DEADLINE_MS = 10_000;
/** Not more than this is left in an attacker's own memory. */
const MAX_BUFFERED_BYTES = 4_000_000;
const LOOK_MS = 5;
const MAX_KEPT = 2000;

export class HostileSocket {
  /** How the connection ended; undefined while it lasts. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** What the gateway said, parsed; what is no JSON is left out. Only the last ones. */
  readonly received: Record<string, unknown>[] = [];
  readonly #socket: WebSocket;
  readonly #context: AttackContext;
  readonly #opened: Promise<boolean>;
  readonly #over: Promise<unknown>;

  constructor(
    context: AttackContext,
    options: { readonly path: string; readonly token?: string | undefined },
  ) {
    const { path, token } = options;
    this.#context = context;
    this.#socket = new WebSocket(`${context.target.url.replace(/^http/, 'ws')}${path}`, [SUBPROTOCOL], {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      handshakeTimeout: OPEN_DEADLINE_MS,
    });
    this.#opened = new Promise((resolve) => {
      this.#socket.once('open', () => resolve(true));
      this.#socket.once('close', () => resolve(false));
    });
    this.#over = once(this.#socket, 'close').catch(() => undefined);
    this.#socket.once('open', () => context.tally.connected());
    this.#socket.on('message', (data) => this.#receive(data as Buffer));
    this.#socket.on('error', (error) => context.tally.answered(`failed ${codeOf(error)}`));
    this.#socket.once('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      context.tally.answered(`close ${code}`);
    });
  }

  /** Whether it was opened; what a token is worth is told by a close afterwards. */
  get opened(): Promise<boolean> {
    return this.#opened;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(data: string | Uint8Array): void {
    if (!this.isOpen) return;
    this.#context.tally.sent(typeof data === 'string' ? Buffer.byteLength(data) : data.length);
    this.#socket.send(data);
  }

  sendJson(message: unknown): void {
    this.send(JSON.stringify(message));
  }

  /** Until the network has taken most of what was sent. False when it is over. */
  async hasRoom(): Promise<boolean> {
    while (this.isOpen && this.#socket.bufferedAmount > MAX_BUFFERED_BYTES && !this.#context.flood.aborted)
      await pause(LOOK_MS, this.#context.flood);
    return this.isOpen && !this.#context.flood.aborted;
  }

  /** A message of this kind, of those that come within the deadline. */
  async waitFor(kind: string, deadlineMs: number): Promise<Record<string, unknown> | undefined> {
    const givesUpAtMs = performance.now() + deadlineMs;
    for (;;) {
      const found = this.received.find((message) => message['kind'] === kind);
      if (found !== undefined || this.closed !== undefined || performance.now() > givesUpAtMs) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Whether the gateway has ended the connection within the deadline. */
  async isClosedWithin(deadlineMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise((resolve) => (timer = setTimeout(resolve, deadlineMs)));
    await Promise.race([this.#over, deadline]);
    clearTimeout(timer);
    return this.closed !== undefined;
  }

  /** Reads nothing any more, as a viewer does that wants to be waited for. */
  stopReading(): void {
    this.#socket.pause();
  }

  leave(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    let message: unknown;
    try {
      message = JSON.parse(data.toString('utf8'));
    } catch {
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    const fields = message as Record<string, unknown>;
    if (fields['kind'] === 'error') this.#context.tally.answered(`error ${String(fields['code'])}`);
    if (fields['kind'] === 'warning') this.#context.tally.answered(`warning ${String(fields['code'])}`);
    this.received.push(fields);
    if (this.received.length > MAX_KEPT) this.received.shift();
  }
}

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 40);

/** First message on `/v1/ingest`. */
export const ingestHello = (
  room: string,
  identity: string,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  kind: 'hello',
  version: 1,
  room,
  speaker: { identity, name: '' },
  sampleRateHz: 16_000,
  ...more,
});

/** A speaker who is heard. Undefined when the gateway did not welcome it. */
export async function joinSpeaker(
  context: AttackContext,
  options: {
    readonly room: string;
    readonly identity: string;
    readonly hello?: Readonly<Record<string, unknown>>;
  },
): Promise<HostileSocket | undefined> {
  const { room, identity } = options;
  const token = await context.token({ room, identity });
  const socket = new HostileSocket(context, { path: '/v1/ingest', token });
  if (await socket.opened) socket.sendJson(ingestHello(room, identity, options.hello));
  return (await socket.waitFor('welcome', OPEN_DEADLINE_MS)) === undefined ? undefined : socket;
}

/** Asks for a snapshot, as a viewer does that has missed something. */
export const resyncOf = (room: string): string =>
  new TextDecoder().decode(encodeMessage({ kind: 'resync', room: roomName(room), lastSeq: 0 }));

export const captionsPath = (room: string): string => `/v1/captions?room=${encodeURIComponent(room)}`;
