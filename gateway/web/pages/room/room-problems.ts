/** Why the page is not in its room, for a person. */
import type * as LiveKit from 'livekit-client';
import type { LiveKitSdk } from './livekit-sdk.js';
import type { RoomWording } from './room-wording.js';

/** After it was in the room. */
export function endText(
  { DisconnectReason }: LiveKitSdk,
  reason: LiveKit.DisconnectReason | undefined,
  wording: RoomWording,
): string {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return wording.openedElsewhere;
    case DisconnectReason.PARTICIPANT_REMOVED:
      return wording.removed;
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return wording.closed;
    case DisconnectReason.SERVER_SHUTDOWN:
      return wording.serverStopped;
    default:
      return wording.lostForGood;
  }
}

/** Before it was in the room. */
export function failureText(
  sdk: LiveKitSdk,
  failure: { readonly error: unknown; readonly url: string; readonly isForbiddenHere: boolean },
  wording: RoomWording,
): string {
  const { error, url, isForbiddenHere } = failure;
  if (isForbiddenHere) return wording.otherServer(url);
  if (error instanceof sdk.ConnectionError && error.reason === sdk.ConnectionErrorReason.NotAllowed)
    return wording.tokenRefused;
  return wording.unreachable(url);
}
