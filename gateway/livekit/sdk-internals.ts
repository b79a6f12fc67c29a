/** What @livekit/rtc-node 1.1.0 does not offer, and its callers need. Whoever updates it looks at this file. */
import type { Participant, Room, Track } from '@livekit/rtc-node';

export type FfiClient = NonNullable<typeof globalThis._ffiClientInstance>;
export type FfiListener = Parameters<FfiClient['on']>[1];

interface NativeHandle {
  readonly handle: bigint;
  dispose(): void;
}

interface RoomInternals {
  /** Set once it is connected. */
  readonly ffiHandle?: NativeHandle;
  readonly onFfiEvent: FfiListener;
}

interface ParticipantInternals {
  readonly ffi_handle: NativeHandle;
}

interface PublicationInternals {
  readonly ffiHandle: NativeHandle;
}

interface TrackInternals {
  readonly ffi_handle: NativeHandle;
  closeAudioStreams?(): void;
}

const internalsOf = (room: Room): RoomInternals => room as unknown as RoomInternals;

/** Names the room in the events of the library underneath; undefined before it is connected. */
export const roomHandle = (room: Room): bigint | undefined => internalsOf(room).ffiHandle?.handle;

/** What the room itself does with an event of the library underneath. */
export const roomListener = (room: Room): FfiListener => internalsOf(room).onFfiEvent;

/** rtc-node does this in `disconnect` only: of a room that the server ended, the listener would run for every later event. */
export function forgetRoom(room: Room): void {
  globalThis._ffiClientInstance?.off('ffi_event', internalsOf(room).onFfiEvent);
}

/** The SDK leaves native memory to the garbage collector, which does not know how much it is (livekit/node-sdks#514, #709). */
export function disposeRoom(room: Room): void {
  free(internalsOf(room).ffiHandle);
}

/** The same for a participant and all that it publishes: each of these handles holds the whole native room. */
export function disposeParticipant(participant: Participant): void {
  for (const publication of participant.trackPublications.values()) {
    if (publication.track !== undefined) disposeTrack(publication.track);
    free((publication as unknown as PublicationInternals).ffiHandle);
  }
  free((participant as unknown as ParticipantInternals).ffi_handle);
}

/** The same for a track, and its streams of audio. */
export function disposeTrack(track: Track): void {
  const internals = track as unknown as TrackInternals;
  internals.closeAudioStreams?.();
  free(internals.ffi_handle);
}

/** A handle that the SDK has freed already throws: there is nothing left to do then. */
function free(handle: NativeHandle | undefined): void {
  try {
    handle?.dispose();
  } catch {
    return;
  }
}

/** rtc-node has no call to mute a track of one's own; the library underneath has. */
export function setTrackMuted(trackHandle: bigint, mute: boolean): void {
  globalThis._ffiClientInstance?.request({
    message: { case: 'localTrackMute', value: { trackHandle, mute } },
  });
}
