/** What publisher and viewer share: joining a room of LiveKit with a token of one's own, and leaving it for good. */
import { EncryptionType, Room, RoomEvent } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import type { ParticipantIdentity, RoomName } from '../../../protocol/index.js';
import { connectError } from '../bot/connect-error.js';
import { directConnection } from '../ice-servers.js';
import { prepareSdk } from '../prepare-sdk.js';
import { forgetRoom, roomHandle } from '../sdk-internals.js';
import { detached } from '../../../asr/detached.js';

const JOIN_DEADLINE_MS = 20_000;
const LEAVE_DEADLINE_MS = 5000;
const TOKEN_TTL_S = 6 * 3600;

export interface LiveKitAccess {
  /** `ws://…` or `wss://…` */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export interface JoinOptions {
  readonly server: LiveKitAccess;
  readonly room: RoomName;
  readonly identity: ParticipantIdentity;
  /** What others see. Default: the identity. */
  readonly name?: string | undefined;
  /** Shared key of an end-to-end encrypted room: media and data are encrypted with it, as livekit-client's `setKey(text)` does. */
  readonly e2eeKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JoinedRoom {
  readonly room: Room;
  /** Of FFI events that belong to this room. */
  readonly handle: bigint;
  /** Resolves when it is out of the room, by `leave` or because the server said so. */
  readonly left: Promise<void>;
  /** Idempotent. Resolves when the server has been told, or could not be. */
  leave(): Promise<void>;
}

/** Throws what `connectError` makes, and the signal's reason. `prepare` sees the room before anything happens in it. */
export async function joinRoom(
  options: JoinOptions & { readonly autoSubscribe: boolean },
  prepare: (room: Room) => void,
): Promise<JoinedRoom> {
  options.signal?.throwIfAborted();
  const token = await participantToken(options);
  prepareSdk();
  const room = new Room();
  let wasLeft = (): void => undefined;
  const left = new Promise<void>((resolve) => (wasLeft = resolve));
  room.once(RoomEvent.Disconnected, () => wasLeft());
  prepare(room);
  const connecting = room.connect(options.server.url, token, {
    autoSubscribe: options.autoSubscribe,
    dynacast: false,
    rtcConfig: directConnection(),
    ...(options.e2eeKey === undefined ? {} : { encryption: sharedKeyEncryption(options.e2eeKey) }),
  });
  try {
    await beforeDeadline(connecting, options.signal);
  } catch (error) {
    // An attempt cannot be called off: should it succeed after all, nobody stays in the room.
    connecting.then(() => leaveRoom(room)).catch(() => undefined);
    options.signal?.throwIfAborted();
    throw connectError(options.server.url, error);
  }
  const handle = roomHandle(room);
  if (handle === undefined) throw connectError(options.server.url, new Error('the SDK gave no room'));
  detached(
    'leaving a room',
    left.then(() => forgetRoom(room)),
  );
  let leaving: Promise<void> | undefined;
  const leave = (): Promise<void> => (leaving ??= leaveRoom(room).then(() => wasLeft()));
  return { room, handle, left, leave };
}

/** May do in the room what people may. Valid for six hours. */
export function participantToken({ server, room, identity, name }: JoinOptions): Promise<string> {
  const token = new AccessToken(server.apiKey, server.apiSecret, {
    identity,
    name: name ?? identity,
    ttl: TOKEN_TTL_S,
  });
  token.addGrant({
    roomJoin: true,
    room,
    canPublish: true,
    canPublishData: true,
    canSubscribe: true,
    canUpdateOwnMetadata: false,
  });
  return token.toJwt();
}

const sharedKeyEncryption = (
  key: string,
): { keyProviderOptions: { sharedKey: Uint8Array }; encryptionType: EncryptionType } => ({
  keyProviderOptions: { sharedKey: new TextEncoder().encode(key) },
  encryptionType: EncryptionType.GCM,
});

async function beforeDeadline(connecting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const deadline = AbortSignal.timeout(JOIN_DEADLINE_MS);
  const giveUp = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  let stopWaiting: (() => void) | undefined;
  const gaveUp = new Promise<never>((_, reject) => {
    stopWaiting = () =>
      reject(
        deadline.aborted ? new Error(`no answer within ${JOIN_DEADLINE_MS / 1000} s`) : new Error('given up'),
      );
    giveUp.addEventListener('abort', stopWaiting, { once: true });
  });
  try {
    await Promise.race([connecting, gaveUp]);
  } finally {
    if (stopWaiting !== undefined) giveUp.removeEventListener('abort', stopWaiting);
  }
}

async function leaveRoom(room: Room): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, LEAVE_DEADLINE_MS)));
  // A connection that is just being lost has nobody to tell.
  await Promise.race([room.disconnect().catch(() => undefined), deadline]);
  clearTimeout(timer);
}
