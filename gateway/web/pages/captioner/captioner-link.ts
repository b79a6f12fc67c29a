import {
  type AccessTokenSource,
  type CaptionerClientMessage,
  type CaptionerHello,
  type CaptionerServerMessage,
  ClientToken,
  closeMeaning,
  decodeCaptionerAnswer,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
  webSocketAddress,
} from '../../../../protocol/index.js';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** Somebody else wrote from this session, or the gateway said good-bye. */
const isOver = (code: number): boolean => code === 1000 || code === 4409;

export type CaptionerLinkState =
  | { readonly kind: 'connecting' | 'finishing' | 'live' | 'lost' | 'tokenEnded' | 'left' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface CaptionerLinkOptions {
  readonly gateway: string;
  readonly room: string;
  readonly token: AccessTokenSource | undefined;
  /** Of every connection; the session is added. */
  readonly hello: () => Omit<CaptionerHello, 'kind' | 'version' | 'session'>;
  readonly received: (message: CaptionerServerMessage) => void;
  readonly changed: (state: CaptionerLinkState) => void;
}

/** A captioner's connection, made again with the same session when it is lost. `close` says good-bye. */
export class CaptionerLink {
  readonly #options: CaptionerLinkOptions;
  readonly #token: ClientToken;
  #socket: WebSocket | undefined;
  #session: string | undefined;
  #isWelcome = false;
  #isLeaving = false;
  #failedTries = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: CaptionerLinkOptions) {
    this.#options = options;
    this.#token = new ClientToken({
      source: options.token,
      send: (token) => this.send({ kind: 'token', token }),
    });
  }

  start(): void {
    this.#options.changed({ kind: 'connecting' });
    this.#connect();
  }

  /** False while there is no connection: then it is to be sent after the next `welcome`. */
  send(message: CaptionerClientMessage): boolean {
    if (!this.#isWelcome || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  retryNow(): void {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  /** There is a newer access token: whoever gave the first one is to be asked again. */
  tokenChanged(): void {
    if (this.#isLeaving) return;
    if (this.#socket === undefined) this.#connect();
    else this.#token.renew();
  }

  close(): void {
    this.#isLeaving = true;
    this.#token.close();
    clearTimeout(this.#retryTimer);
    if (!this.send({ kind: 'end' })) this.#socket?.close();
    this.#options.changed({ kind: 'left' });
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#token.take({
      token: (token) => this.#open(token),
      ended: () => this.#retryLater('tokenEnded'),
      failed: () => this.#retryLater('lost'),
    });
  }

  #open(token: string | undefined): void {
    const { gateway, room, hello } = this.#options;
    const url = webSocketAddress(gateway, 'v1/captioner', { room });
    const subprotocols = token === undefined ? [] : [`${TOKEN_SUBPROTOCOL_PREFIX}${token}`];
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [SUBPROTOCOL, ...subprotocols]);
    } catch {
      this.#options.changed({ kind: 'refused', reason: '#token' });
      return;
    }
    this.#socket = socket;
    socket.addEventListener('open', () => {
      const session = this.#session === undefined ? {} : { session: this.#session };
      socket.send(JSON.stringify({ kind: 'hello', version: 1, ...hello(), ...session }));
      this.#options.changed({ kind: 'finishing' });
    });
    socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
    socket.addEventListener('close', ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason);
    });
  }

  #receive(data: string): void {
    const message = decodeCaptionerAnswer(data);
    if (message === undefined) return;
    if (message.kind === 'access') this.#token.told(message);
    if (message.kind === 'welcome') {
      this.#session = message.session;
      this.#isWelcome = true;
      this.#failedTries = 0;
      this.#options.changed({ kind: 'live' });
    }
    this.#options.received(message);
  }

  #closed(code: number, reason: string): void {
    this.#isWelcome = false;
    this.#socket = undefined;
    this.#token.connectionLost();
    if (this.#isLeaving) return;
    const meaning = isOver(code) ? 'final' : closeMeaning(code, reason);
    switch (meaning) {
      case 'again':
        this.#retryLater('lost');
        return;
      case 'token_ended':
        this.#token.hasEnded();
        if (this.#token.canChange) this.#retryLater('tokenEnded');
        else this.#options.changed({ kind: 'refused', reason });
        return;
      case 'final':
        this.#options.changed({ kind: 'refused', reason });
    }
  }

  #retryLater(kind: 'lost' | 'tokenEnded'): void {
    this.#options.changed({ kind });
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failedTries);
    this.#failedTries += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), waitMs * (0.75 + Math.random() / 2));
  }
}
