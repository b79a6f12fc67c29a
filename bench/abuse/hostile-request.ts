/** HTTP requests of an attacker, and raw connections that say too little or read nothing. */
import { connect, type Socket } from 'node:net';
import type { AttackContext } from './attack.js';

const ANSWER_DEADLINE_MS = 10_000;

/** Counts the status; undefined when no answer came. */
export async function request(
  context: AttackContext,
  path: string,
  init: { readonly method?: string; readonly token?: string; readonly body?: string } = {},
): Promise<{ status: number; text: string } | undefined> {
  const { tally, target } = context;
  tally.sent(path.length + (init.body?.length ?? 0));
  try {
    const response = await fetch(target.url + path, {
      method: init.method ?? 'GET',
      headers: init.token === undefined ? {} : { Authorization: `Bearer ${init.token}` },
      ...(init.body === undefined ? {} : { body: init.body }),
      signal: AbortSignal.timeout(ANSWER_DEADLINE_MS),
    });
    const text = await response.text();
    tally.answered(`http ${response.status}`);
    return { status: response.status, text };
  } catch {
    tally.answered('no answer');
    return undefined;
  }
}

/** A TCP connection that has sent `text`, and reads nothing beyond what the kernel takes. Undefined when it was refused. */
export async function rawConnection(
  context: AttackContext,
  text: string,
): Promise<RawConnection | undefined> {
  const { hostname, port } = new URL(context.target.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
  });
  if (!isOpen) {
    context.tally.answered('connection refused');
    return undefined;
  }
  context.tally.connected();
  context.tally.sent(text.length);
  socket.pause();
  socket.write(text, 'latin1');
  return new RawConnection(socket);
}

export class RawConnection {
  isClosed = false;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.once('close', () => (this.isClosed = true));
  }

  write(data: Uint8Array | string): void {
    if (!this.isClosed) this.#socket.write(data);
  }

  /** The first line of the answer; empty when there is none within the deadline, or the connection was cut. */
  async firstLine(deadlineMs: number): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.#socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1').split('\r\n')[0] ?? ''));
      this.#socket.once('close', () => resolve(''));
      setTimeout(() => resolve(''), deadlineMs);
    });
    this.#socket.resume();
    return answer;
  }

  /** Reads what comes and forgets it, so that an end from the other side is seen. */
  drain(): void {
    this.#socket.on('data', () => undefined);
    this.#socket.resume();
  }

  leave(): void {
    this.#socket.destroy();
  }
}
