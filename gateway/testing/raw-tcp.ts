import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP connection to the gateway, and everything that came over it. */
export interface RawTcp {
  readonly socket: Socket;
  readonly received: () => Buffer;
  /** Whether the gateway closed it. */
  readonly isClosed: () => boolean;
}

/** Connects and writes `text` as it is. */
export async function rawTcp(url: string, text: string): Promise<RawTcp> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  let isClosed = false;
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  socket.once('close', () => (isClosed = true));
  await once(socket, 'connect');
  socket.write(text);
  return { socket, received: () => Buffer.concat(chunks), isClosed: () => isClosed };
}

/** The request that opens a WebSocket (RFC 6455, section 1.3, with its key). */
export const upgradeRequest = (path: string, headers: readonly string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '\r\n',
  ].join('\r\n');

/** A short text frame as a client sends it; the mask is zero. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
