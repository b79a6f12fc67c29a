import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP road to the gateway that a test can cut: what a browser's connection goes through. */
export interface CuttableProxy {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Ends all connections without a word, and further ones too until `restore`. */
  cut(): void;
  restore(): void;
  /** Further connections go to another gateway. */
  aimAt(targetUrl: string): void;
  close(): Promise<void>;
}

export async function startCuttableProxy(targetUrl: string): Promise<CuttableProxy> {
  let target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    keep(client);
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    keep(upstream);
    client.pipe(upstream).pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      isCut = true;
      cutAll();
    },
    restore: () => (isCut = false),
    aimAt: (url) => (target = new URL(url)),
    async close() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
