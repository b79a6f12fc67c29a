import { WebSocket } from 'ws';
import {
  CaptionError,
  type CaptionMessage,
  type CaptionState,
  decodeMessage,
  encodeMessage,
  initialState,
  receiveMessage,
  resyncMessage,
  type RoomName,
  SUBPROTOCOL,
} from '../../protocol/index.js';

/** A hole that reordering has not closed after this is worth a snapshot. */
const RESYNC_AFTER_MS = 200;
const RECONNECT_DELAY_MS = 250;

export interface CaptionClientOptions {
  /** Of the gateway, `http://…`. */
  readonly url: string;
  readonly room: RoomName;
  /** LiveKit access token, where the gateway wants one. */
  readonly token?: string;
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
  let socket: WebSocket;
  let resyncTimer: NodeJS.Timeout | undefined;
  let settleReady: { resolve: () => void; reject: (error: CaptionError) => void } | undefined;
  const ready = new Promise<void>((resolve, reject) => (settleReady = { resolve, reject }));
  // Whoever does not await it is not to be ended by an unhandled rejection.
  ready.catch(() => undefined);

  const settleWaiters: (() => void)[] = [];

  const receive = (data: Buffer): void => {
    const message = decode(data);
    if (message === undefined) return;
    const isWholeSnapshot = message.kind === 'snapshot' && message.part === message.parts - 1;
    const next = receiveMessage(state, message, Date.now());
    if (next !== state) {
      state = next;
      options.changed(state, message);
      if (options.reports === true && message.kind === 'delta' && socket.readyState === socket.OPEN) {
        const { room, epochMs, seq } = message;
        socket.send(encodeMessage({ kind: 'shown', room, epochMs, seq }), { binary: false });
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
      socket.close();
      return undefined;
    }
  };
  const askForSnapshot = (): void => {
    resyncTimer = undefined;
    if (!state.needsResync || socket.readyState !== socket.OPEN) return;
    resyncs += 1;
    socket.send(encodeMessage(resyncMessage(state)), { binary: false });
    resyncTimer = setTimeout(askForSnapshot, RESYNC_AFTER_MS * 5);
  };
  const connect = (): void => {
    const url = `${options.url.replace(/^http/, 'ws')}/v1/captions?room=${encodeURIComponent(options.room)}`;
    const headers = options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` };
    socket = new WebSocket(url, [SUBPROTOCOL], { headers, perMessageDeflate: false });
    socket.on('message', (data) => receive(data as Buffer));
    // What went wrong is told by 'close', which always follows.
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => {
      clearTimeout(resyncTimer);
      resyncTimer = undefined;
      const isFinal = isClosed || (code >= 4400 && code < 4408);
      if (isFinal)
        settleReady?.reject(
          new CaptionError('connection_closed', `The connection ended (${code}): ${reason.toString()}`),
        );
      options.disconnected?.({ code, reason: reason.toString(), isFinal });
      if (!isFinal) setTimeout(() => isClosed || connect(), RECONNECT_DELAY_MS);
    });
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
      if (socket.readyState === socket.OPEN)
        socket.send(encodeMessage(resyncMessage(state)), { binary: false });
      // Without a connection the snapshot of the next one will do.
      return new Promise((resolve) => settleWaiters.push(resolve));
    },
    dropConnection: () => socket.terminate(),
    close() {
      isClosed = true;
      clearTimeout(resyncTimer);
      socket.close();
    },
  };
}
