import { createServer, request as ask, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A reverse proxy that has the gateway below a path, takes that path away, and answers nothing else. */
export interface PathProxy {
  /** With the path, and a slash behind it. */
  readonly url: string;
  /** Addresses that were asked for beside the path. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

export async function startPathProxy(targetUrl: string, path: string): Promise<PathProxy> {
  const target = new URL(targetUrl);
  const port = Number(target.port);
  const strays: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const behind = ({ url = '' }: IncomingMessage): string | undefined => {
    if (url.startsWith(`${path}/`)) return url.slice(path.length);
    strays.push(url);
    return undefined;
  };
  const server = createServer((request, response) => {
    const inner = behind(request);
    if (inner === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { method = 'GET', headers } = request;
    const asked = ask({ host: target.hostname, port, path: inner, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  });
  server.on('connection', keep);
  server.on('upgrade', (request, client: Socket) => {
    const inner = behind(request);
    if (inner === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: target.hostname, port });
    keep(upstream);
    const lines = request.rawHeaders.flatMap((name, index, all) =>
      index % 2 === 0 ? [`${name}: ${all[index + 1] ?? ''}`] : [],
    );
    upstream.write([`GET ${inner} HTTP/1.1`, ...lines, '\r\n'].join('\r\n'));
    client.pipe(upstream).pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}/`,
    strays,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
