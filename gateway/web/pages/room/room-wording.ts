/** Why the page is not in its room, for a person. */
import type * as LiveKit from 'livekit-client';
import type { LiveKitSdk } from './livekit-sdk.js';

/** After it was in the room. */
export function endText(sdk: LiveKitSdk, reason: LiveKit.DisconnectReason | undefined): string {
  const { DisconnectReason } = sdk;
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return 'this link was opened somewhere else. It is for one page at a time.';
    case DisconnectReason.PARTICIPANT_REMOVED:
      return 'somebody removed this page from the room.';
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return 'the room was closed.';
    case DisconnectReason.SERVER_SHUTDOWN:
      return 'the LiveKit server was stopped.';
    default:
      return 'the connection to the LiveKit server was lost for good. Load this page again.';
  }
}

/** Before it was in the room. */
export function failureText(
  sdk: LiveKitSdk,
  failure: { readonly error: unknown; readonly url: string; readonly isForbiddenHere: boolean },
): string {
  const { error, url, isForbiddenHere } = failure;
  if (isForbiddenHere) {
    return `pages of this gateway may connect to its own LiveKit server only (LIVEKIT_URL), and ${url} is another one.`;
  }
  if (error instanceof sdk.ConnectionError && error.reason === sdk.ConnectionErrorReason.NotAllowed) {
    return 'the LiveKit server does not take the access token of this link: it is no token of this server, or has expired.';
  }
  return `no LiveKit server can be reached at ${url}.`;
}
