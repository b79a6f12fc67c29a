import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { waitFor } from './wait-until.js';

/** One client's connection, as the gateway's side of it. */
export interface ScriptedConnection {
  readonly socket: WebSocket;
  /** Text frames, parsed. */
  readonly messages: { readonly kind: string; readonly [field: string]: unknown }[];
  /** Samples of all binary frames. */
  readonly samples: number[];
  send(message: object | Uint8Array): void;
}

/** Stands in for a gateway whose every answer is the test's, for what the real one does too seldom. */
export class ScriptedGateway {
  readonly connections: ScriptedConnection[] = [];
  /** Sees the request of each connection. */
  requested: (request: IncomingMessage) => void = () => undefined;
  readonly #server = new WebSocketServer({ port: 0, host: '127.0.0.1' });

  private constructor() {
    this.#server.on('connection', (socket, request) => {
      this.requested(request);
      const messages: ScriptedConnection['messages'] = [];
      const samples: number[] = [];
      socket.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        if (isBinary) for (let at = 0; at < bytes.length; at += 2) samples.push(bytes.readInt16LE(at));
        else messages.push(JSON.parse(bytes.toString()) as ScriptedConnection['messages'][number]);
      });
      const send = (message: object | Uint8Array): void =>
        socket.send(message instanceof Uint8Array ? message : JSON.stringify(message), { binary: false });
      this.connections.push({ socket, messages, samples, send });
    });
  }

  static async start(): Promise<ScriptedGateway> {
    const gateway = new ScriptedGateway();
    await once(gateway.#server, 'listening');
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves with the connection of that number, from 0. */
  connection(index: number): Promise<ScriptedConnection> {
    return waitFor(`connection ${index}`, () => this.connections[index]);
  }

  close(): void {
    for (const { socket } of this.connections) socket.terminate();
    this.#server.close();
  }
}
