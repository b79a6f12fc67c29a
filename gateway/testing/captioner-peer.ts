import { WebSocket } from 'ws';
import {
  type CaptionerServerMessage,
  decodeCaptionerAnswer,
  type RoomName,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';
import { waitFor, waitUntil } from './wait-until.js';

/** A captioner's connection whose every step is the test's. */
export class CaptionerPeer {
  readonly messages: CaptionerServerMessage[] = [];
  readonly socket: WebSocket;
  #wasOpen = false;
  closed: { code: number; reason: string } | undefined;

  constructor(url: string, options: { room: RoomName | string; token?: string }) {
    const { room, token } = options;
    const protocols = token === undefined ? [] : [SUBPROTOCOL, `${TOKEN_SUBPROTOCOL_PREFIX}${token}`];
    const address = `${url.replace(/^http/, 'ws')}/v1/captioner?room=${encodeURIComponent(room)}`;
    this.socket = new WebSocket(address, protocols, { perMessageDeflate: false });
    this.socket.once('open', () => (this.#wasOpen = true));
    this.socket.on('message', (data) => {
      const message = decodeCaptionerAnswer((data as Buffer).toString());
      if (message !== undefined) this.messages.push(message);
    });
    this.socket.on('error', () => undefined);
    this.socket.once('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  async opened(): Promise<this> {
    // It may have been closed again meanwhile.
    await waitUntil(() => (this.#wasOpen ? undefined : 'the connection is not open'));
    return this;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  line(line: number, text: string, more: object = {}): void {
    this.send({ kind: 'line', line, text, ...more });
  }

  /** Resolves with the first message of a kind that is as wanted. */
  received<Kind extends CaptionerServerMessage['kind']>(
    kind: Kind,
    isWanted: (message: Extract<CaptionerServerMessage, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<CaptionerServerMessage, { kind: Kind }>> {
    return waitFor(`no such ${kind} received`, () =>
      this.messages.find(
        (message): message is Extract<CaptionerServerMessage, { kind: Kind }> =>
          message.kind === kind && isWanted(message as Extract<CaptionerServerMessage, { kind: Kind }>),
      ),
    );
  }

  /** Resolves with the code and the reason of the close. */
  ended(): Promise<{ code: number; reason: string }> {
    return waitFor('the connection is not closed', () => this.closed);
  }
}

/** A well-formed hello, changed by `changes`. */
export const captionerHello = (changes: Record<string, unknown> = {}): object => ({
  kind: 'hello',
  version: 1,
  captioner: { identity: 'carol', name: 'Carol' },
  ...changes,
});

/** A captioner after the `welcome`. */
export async function welcomedCaptioner(
  url: string,
  room: RoomName | string,
  changes: Record<string, unknown> = {},
): Promise<CaptionerPeer> {
  const peer = await new CaptionerPeer(url, { room }).opened();
  peer.send(captionerHello(changes));
  await peer.received('welcome');
  return peer;
}
