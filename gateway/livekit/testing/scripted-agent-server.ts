/** The `/agent` end of a livekit-server that says what a test wants, also what no real one says. */
import { once } from 'node:events';
import { ServerMessage, WorkerMessage } from '@livekit/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { waitFor } from '../../testing/wait-until.js';

export type WorkerSaid = WorkerMessage['message'];
type ServerSays = NonNullable<NonNullable<ConstructorParameters<typeof ServerMessage>[0]>['message']>;
type Said<Case extends WorkerSaid['case']> = Extract<WorkerSaid, { case: Case }>['value'];

export class ScriptedAgentServer {
  /** Of all connections, oldest first. */
  readonly said: WorkerSaid[] = [];
  connections = 0;
  readonly #server: WebSocketServer;
  #socket: WebSocket | undefined;

  private constructor(server: WebSocketServer, options: { readonly answersPings: boolean }) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.connections += 1;
      this.#socket = socket;
      socket.on('message', (data) => {
        const { message } = WorkerMessage.fromBinary(data as Buffer);
        this.said.push(message);
        if (message.case === 'register')
          this.say({ case: 'register', value: { workerId: `AW_${String(this.connections)}` } });
        if (message.case === 'ping' && options.answersPings)
          this.say({ case: 'pong', value: { lastTimestamp: message.value.timestamp } });
      });
    });
  }

  /** On a free port of 127.0.0.1. Whoever calls it closes it. */
  static async start(options = { answersPings: true }): Promise<ScriptedAgentServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/agent' });
    await once(server, 'listening');
    return new ScriptedAgentServer(server, options);
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it does not listen');
    return `ws://127.0.0.1:${String(address.port)}`;
  }

  say(message: ServerSays): void {
    this.sayBytes(new ServerMessage({ message }).toBinary());
  }

  sayBytes(bytes: Uint8Array | string): void {
    this.#socket?.send(bytes);
  }

  drop(): void {
    this.#socket?.terminate();
  }

  all<Case extends NonNullable<WorkerSaid['case']>>(which: Case): Said<Case>[] {
    return this.said.flatMap((message) => (message.case === which ? [message.value as Said<Case>] : []));
  }

  /** The first message of a kind that fits, once it is there. */
  heard<Case extends NonNullable<WorkerSaid['case']>>(
    which: Case,
    fits: (value: Said<Case>) => boolean,
  ): Promise<Said<Case>> {
    return waitFor(`${which} of the worker`, () => this.all(which).find(fits));
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
