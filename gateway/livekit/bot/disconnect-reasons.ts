import { DisconnectReason } from '@livekit/rtc-node';
import type { CaptionerEnd } from '../captioner-end.js';

/** What a disconnection by the server or by the SDK means: the end, or `rejoin` with a new connection. */
export function meaningOf(reason: DisconnectReason): CaptionerEnd | 'rejoin' {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return { kind: 'stopped' };
    case DisconnectReason.DUPLICATE_IDENTITY:
      return { kind: 'superseded' };
    case DisconnectReason.PARTICIPANT_REMOVED:
      return { kind: 'removed' };
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return { kind: 'room_closed' };
    // A node that is stopped hands its rooms to others; the SDK gave up; what follows concerns telephones and media alone.
    case DisconnectReason.SERVER_SHUTDOWN:
    case DisconnectReason.MIGRATION:
    case DisconnectReason.SIGNAL_CLOSE:
    case DisconnectReason.STATE_MISMATCH:
    case DisconnectReason.CONNECTION_TIMEOUT:
    case DisconnectReason.JOIN_FAILURE:
    case DisconnectReason.MEDIA_FAILURE:
    case DisconnectReason.AGENT_ERROR:
    case DisconnectReason.USER_UNAVAILABLE:
    case DisconnectReason.USER_REJECTED:
    case DisconnectReason.SIP_TRUNK_FAILURE:
    case DisconnectReason.UNKNOWN_REASON:
      return 'rejoin';
  }
}
