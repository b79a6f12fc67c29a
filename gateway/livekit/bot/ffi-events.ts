import type { Room } from '@livekit/rtc-node';
import { type FfiListener, forgetRoom, roomHandle, roomListener } from '../sdk-internals.js';

/**
 * Takes a connected room's listener out of the SDK's one emitter and puts it back behind a filter: the SDK calls every room's
 * listener, an asynchronous one under a lock, for every frame of audio of every room, and never takes it away again after
 * the server ended the connection (room.ts: `disconnect` returns early; fixed in Python by livekit/python-sdks#699).
 * The result lets go of it.
 */
export function listenToOwnEventsOnly(room: Room): () => void {
  const emitter = globalThis._ffiClientInstance;
  const handle = roomHandle(room);
  const original = roomListener(room);
  if (emitter === undefined || handle === undefined) return () => undefined;
  const filtered: FfiListener = (event) => {
    const { message } = event;
    if (message.case === 'roomEvent' && message.value.roomHandle === handle) original(event);
  };
  emitter.off('ffi_event', original);
  emitter.on('ffi_event', filtered);
  return () => {
    emitter.off('ffi_event', filtered);
    forgetRoom(room);
  };
}
