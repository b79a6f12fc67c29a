/** A TCP relay before a server, as the network is between people and a gateway: it can stand still, and it can break. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export class ShakyNetwork {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #stalls = 0;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** `target`: `http://host:port`. Close it. Throws what listening throws. */
  static async before(target: string): Promise<ShakyNetwork> {
    const { hostname, port } = new URL(target);
    const server = createServer((near) =>
      network.#relay(near, connect({ host: hostname, port: Number(port) })),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const own = typeof address === 'object' && address !== null ? address.port : 0;
    const network = new ShakyNetwork(server, `http://127.0.0.1:${own}`);
    return network;
  }

  /** Nothing passes until the function that it returns is called; everything is kept and passes then. */
  stall(): () => void {
    this.#stalls += 1;
    for (const socket of this.#sockets) socket.pause();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#stalls -= 1;
      if (this.#stalls === 0) for (const socket of this.#sockets) socket.resume();
    };
  }

  /** Breaks every connection without a farewell. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        if (to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (this.#stalls === 0) from.resume();
        });
      });
      from.once('end', () => to.end());
      from.once('error', () => to.destroy());
      from.once('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#stalls > 0) from.pause();
    }
  }
}
