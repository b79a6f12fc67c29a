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

/** Where the gateway serves it: browsers cannot find it by its name. */
const SDK_PATH = '/livekit-client.mjs';

/** Rejects when it cannot be loaded. */
export async function loadLiveKitSdk(): Promise<LiveKitSdk> {
  return (await import(SDK_PATH)) as LiveKitSdk;
}
