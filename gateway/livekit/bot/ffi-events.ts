import type { RemoteParticipant, Room } from '@livekit/rtc-node';
import { type FfiListener, forgetRoom, roomHandle, roomListener } from '../sdk-internals.js';

type Permission = NonNullable<RemoteParticipant['info']['permission']>;

/**
 * Takes a connected room's listener out of the SDK's one emitter and puts it back behind a filter: the SDK calls every room's
 * listener, an asynchronous one under a lock, for every frame of audio of every room, and never takes it away again after
 * the server ended the connection (room.ts: `disconnect` returns early; fixed in Python by livekit/python-sdks#699).
 * The result lets go of it. `permissionsChanged`: the SDK has no event for it.
 */
export function listenToOwnEventsOnly(
  room: Room,
  permissionsChanged: (identity: string, permission: Permission) => void,
): () => void {
  const emitter = globalThis._ffiClientInstance;
  const handle = roomHandle(room);
  const original = roomListener(room);
  if (emitter === undefined || handle === undefined) return () => undefined;
  const filtered: FfiListener = (event) => {
    const { message } = event;
    if (message.case !== 'roomEvent' || message.value.roomHandle !== handle) return;
    original(event);
    const change = message.value.message;
    if (change.case !== 'participantPermissionChanged') return;
    const { participantIdentity = '', permission } = change.value;
    // The SDK deals with events in order, and not at once: whoever has just come is known then.
    if (permission !== undefined) setImmediate(() => permissionsChanged(participantIdentity, permission));
  };
  emitter.off('ffi_event', original);
  emitter.on('ffi_event', filtered);
  return () => {
    emitter.off('ffi_event', filtered);
    forgetRoom(room);
  };
}
