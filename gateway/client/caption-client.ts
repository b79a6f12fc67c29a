import { wallClockMs } from '../clock.js';
import { WebSocket } from 'ws';
import {
  type AccessTokenSource,
  CaptionError,
  type CaptionMessage,
  type CaptionState,
  ClientToken,
  closeMeaning,
  decodeMessage,
  encodeMessage,
  initialState,
  receiveMessage,
  resyncMessage,
  type RoomName,
  SUBPROTOCOL,
  webSocketAddress,
} from '../../protocol/index.js';

/** A hole that reordering has not closed after this is worth a snapshot. */
const RESYNC_AFTER_MS = 200;
const RECONNECT_DELAY_MS = 250;
/** Whoever gives tokens has none that is new: they are asked again after this. */
const TOKEN_RETRY_MS = 1000;

export interface CaptionClientOptions {
  /** Of the gateway, `http://…`. */
  readonly url: string;
  readonly room: RoomName;
  /** LiveKit access token, where the gateway wants one; a function keeps the connection beyond the end of a token. */
  readonly token?: AccessTokenSource;
  /** Tells the gateway what is shown, so that it can measure the way here. Default false. */
  readonly reports?: boolean;
  /** After each message that changed something. */
  readonly changed: (state: CaptionState, message: CaptionMessage) => void;
  /** The connection ended or failed; it is tried again unless `isFinal`. */
  readonly disconnected?: (reason: { code: number; reason: string; isFinal: boolean }) => void;
}

export interface CaptionClient {
  readonly state: CaptionState;
  /** Snapshots asked for because of a hole. */
  readonly resyncs: number;
  /** Resolves when the first snapshot has been applied. Rejects with CaptionError `connection_closed` when none ever will. */
  readonly ready: Promise<void>;
  /** Asks for a snapshot and resolves when it is there: everything the room had said by now has been applied then. */
  settled(): Promise<void>;
  /** Cuts the connection as a network would; it is made again. */
  dropConnection(): void;
  close(): void;
}

/** A viewer: follows one room with the protocol's reducer, over as many connections as it takes. */
export function connectCaptions(options: CaptionClientOptions): CaptionClient {
  let state = initialState(options.room);
  let resyncs = 0;
  let isClosed = false;
  let socket: WebSocket | undefined;
  let resyncTimer: NodeJS.Timeout | undefined;
  const isOpen = (): boolean => socket?.readyState === WebSocket.OPEN;
  const send = (message: CaptionMessage): boolean => {
    if (!isOpen()) return false;
    socket?.send(encodeMessage(message), { binary: false });
    return true;
  };
  const token = new ClientToken({
    source: options.token,
    send: (newer) => send({ kind: 'token', token: newer }),
  });
  let settleReady: { resolve: () => void; reject: (error: CaptionError) => void } | undefined;
  const ready = new Promise<void>((resolve, reject) => (settleReady = { resolve, reject }));
  // Whoever does not await it is not to be ended by an unhandled rejection.
  ready.catch(() => undefined);

  const settleWaiters: (() => void)[] = [];

  const receive = (data: Buffer): void => {
    const message = decode(data);
    if (message === undefined) return;
    if (message.kind === 'access') token.told(message);
    const isWholeSnapshot = message.kind === 'snapshot' && message.part === message.parts - 1;
    const next = receiveMessage(state, message, wallClockMs());
    if (next !== state) {
      state = next;
      options.changed(state, message);
      if (options.reports === true && message.kind === 'delta') {
        const { room, epochMs, seq } = message;
        send({ kind: 'shown', room, epochMs, seq });
      }
    }
    if (state.needsResync) resyncTimer ??= setTimeout(askForSnapshot, RESYNC_AFTER_MS);
    else settleReady?.resolve();
    if (isWholeSnapshot) for (const settle of settleWaiters.splice(0)) settle();
  };
  /** What cannot be read comes from a gateway of another version: connecting again would not help. */
  const decode = (data: Buffer): CaptionMessage | undefined => {
    try {
      return decodeMessage(data);
    } catch (error) {
      isClosed = true;
      const code = error instanceof CaptionError ? error.code : 'message_malformed';
      settleReady?.reject(
        new CaptionError('connection_closed', `The gateway sends what this client cannot read (${code}).`),
      );
      socket?.close();
      return undefined;
    }
  };
  const askForSnapshot = (): void => {
    resyncTimer = undefined;
    if (!state.needsResync || !send(resyncMessage(state))) return;
    resyncs += 1;
    resyncTimer = setTimeout(askForSnapshot, RESYNC_AFTER_MS * 5);
  };
  const ended = (code: number, reason: string): void => {
    clearTimeout(resyncTimer);
    resyncTimer = undefined;
    token.connectionLost();
    const meaning = closeMeaning(code, reason);
    if (meaning === 'token_ended') token.hasEnded();
    const isFinal = isClosed || meaning === 'final' || (meaning === 'token_ended' && !token.canChange);
    if (isFinal)
      settleReady?.reject(new CaptionError('connection_closed', `The connection ended (${code}): ${reason}`));
    options.disconnected?.({ code, reason, isFinal });
    if (!isFinal) setTimeout(connect, RECONNECT_DELAY_MS);
  };
  const connect = (): void => {
    if (isClosed) return;
    const askAgain = (): void => void setTimeout(connect, TOKEN_RETRY_MS);
    token.take({ token: open, ended: askAgain, failed: askAgain });
  };
  const open = (accessToken: string | undefined): void => {
    const url = webSocketAddress(options.url, 'v1/captions', { room: options.room });
    const headers = accessToken === undefined ? {} : { Authorization: `Bearer ${accessToken}` };
    socket = new WebSocket(url, [SUBPROTOCOL], { headers, perMessageDeflate: false });
    socket.on('message', (data) => receive(data as Buffer));
    // What went wrong is told by 'close', which always follows.
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => ended(code, reason.toString()));
  };
  connect();
  return {
    get state() {
      return state;
    },
    get resyncs() {
      return resyncs;
    },
    ready,
    settled() {
      send(resyncMessage(state));
      // Without a connection the snapshot of the next one will do.
      return new Promise((resolve) => settleWaiters.push(resolve));
    },
    dropConnection: () => socket?.terminate(),
    close() {
      isClosed = true;
      clearTimeout(resyncTimer);
      token.close();
      socket?.close();
    },
  };
}
