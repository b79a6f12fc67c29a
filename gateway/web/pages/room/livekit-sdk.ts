import type * as LiveKit from 'livekit-client';

/** What the page uses of livekit-client, which is loaded when the page runs. */
export type LiveKitSdk = Pick<
  typeof LiveKit,
  | 'ConnectionError'
  | 'ConnectionErrorReason'
  | 'DisconnectReason'
  | 'LogLevel'
  | 'RemoteTrackPublication'
  | 'Room'
  | 'RoomEvent'
  | 'setLogLevel'
  | 'Track'
>;

/** Rejects when it cannot be loaded. */
export function loadLiveKitSdk(): Promise<LiveKitSdk> {
  return import('livekit-client');
}
