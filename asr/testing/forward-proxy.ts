/** A small HTTP proxy on loopback for tests: passes plain requests on, refuses tunnels, and notes both. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ForwardProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `METHOD ADDRESS`, and who asked, where they said it. */
  readonly seen: { readonly request: string; readonly authorization?: string | undefined }[];
  close(): Promise<void>;
}

/** Every plain request goes to `targetPort` on loopback, whatever host it names: names that nobody else knows work too. */
export async function startForwardProxy(targetPort: number): Promise<ForwardProxy> {
  const seen: ForwardProxy['seen'] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push({
      request: `${incoming.method} ${incoming.url}`,
      authorization: incoming.headers['proxy-authorization'],
    });
    const { pathname, search } = new URL(incoming.url ?? '', 'http://nobody.test');
    const { method, headers } = incoming;
    const onward = request({ host: '127.0.0.1', port: targetPort, path: pathname + search, method, headers });
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket) => {
    seen.push({
      request: `CONNECT ${incoming.url}`,
      authorization: incoming.headers['proxy-authorization'],
    });
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
