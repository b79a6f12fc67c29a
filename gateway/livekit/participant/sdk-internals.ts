/** What @livekit/rtc-node 1.1.0 does not offer, and its callers need. Whoever updates it looks at this file. */
import type { Room } from '@livekit/rtc-node';

export type FfiClient = NonNullable<typeof globalThis._ffiClientInstance>;
export type FfiListener = Parameters<FfiClient['on']>[1];

interface RoomInternals {
  /** Set once it is connected. */
  readonly ffiHandle?: { readonly handle: bigint };
  readonly onFfiEvent: FfiListener;
}

const internalsOf = (room: Room): RoomInternals => room as unknown as RoomInternals;

/** Names the room in the events of the library underneath; undefined before it is connected. */
export const roomHandle = (room: Room): bigint | undefined => internalsOf(room).ffiHandle?.handle;

/** rtc-node does this in `disconnect` only: of a room that the server ended, the listener would run for every later event. */
export function forgetRoom(room: Room): void {
  globalThis._ffiClientInstance?.off('ffi_event', internalsOf(room).onFfiEvent);
}

/** rtc-node has no call to mute a track of one's own; the library underneath has. */
export function setTrackMuted(trackHandle: bigint, mute: boolean): void {
  globalThis._ffiClientInstance?.request({
    message: { case: 'localTrackMute', value: { trackHandle, mute } },
  });
}
