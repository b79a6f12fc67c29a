import { type ClientOptions, WebSocket } from 'ws';
import type { IngestServerMessage } from '../../protocol/index.js';
import { waitFor } from './wait-until.js';

/** A WebSocket client without manners: sends what a test wants and keeps what comes back. */
export class RawPeer {
  /** Text frames received, parsed. */
  readonly messages: IngestServerMessage[] = [];
  readonly socket: WebSocket;
  #closed: { code: number; reason: string } | undefined;

  constructor(url: string, options: { subprotocols?: string[]; headers?: Record<string, string> } = {}) {
    const clientOptions: ClientOptions = { headers: options.headers ?? {}, perMessageDeflate: false };
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), options.subprotocols ?? [], clientOptions);
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse((data as Buffer).toString()) as IngestServerMessage);
    });
    this.socket.on('error', () => undefined);
    this.socket.once('close', (code, reason) => (this.#closed = { code, reason: reason.toString() }));
  }

  /** Resolves when the connection is open. */
  async opened(): Promise<this> {
    await waitFor('the connection is not open', () =>
      this.socket.readyState === WebSocket.OPEN ? true : undefined,
    );
    return this;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  sendPcm(pcm: Int16Array): void {
    this.socket.send(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
  }

  /** Resolves with the first message of a kind. */
  received<Kind extends IngestServerMessage['kind']>(
    kind: Kind,
  ): Promise<Extract<IngestServerMessage, { kind: Kind }>> {
    return waitFor(`no ${kind} received`, () =>
      this.messages.find(
        (message): message is Extract<IngestServerMessage, { kind: Kind }> => message.kind === kind,
      ),
    );
  }

  /** Resolves with the code and the reason of the close. */
  closed(): Promise<{ code: number; reason: string }> {
    return waitFor('the connection is not closed', () => this.#closed);
  }
}

/** A well-formed hello, changed by `changes`. */
export const helloWith = (changes: Record<string, unknown> = {}): object => ({
  kind: 'hello',
  version: 1,
  room: 'council',
  speaker: { identity: 'ana', name: 'Ana' },
  sampleRateHz: 16_000,
  ...changes,
});

/** An ingest connection after its `welcome`. */
export async function welcomedPeer(
  gatewayUrl: string,
  changes: Record<string, unknown> = {},
): Promise<RawPeer> {
  const peer = await new RawPeer(`${gatewayUrl}/v1/ingest`).opened();
  peer.send(helloWith(changes));
  await peer.received('welcome');
  return peer;
}
