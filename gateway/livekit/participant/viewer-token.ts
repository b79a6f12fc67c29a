import { AccessToken } from 'livekit-server-sdk';
import type { ParticipantIdentity, RoomName } from '../../../protocol/index.js';
import type { LiveKitAccess } from './joined-room.js';

const TOKEN_TTL_S = 6 * 3600;

/**
 * For somebody who watches and listens: may subscribe, and send data (a viewer asks for snapshots that way); may not publish.
 * Valid for six hours.
 */
export function mintViewerToken(
  { apiKey, apiSecret }: LiveKitAccess,
  viewer: { readonly room: RoomName; readonly identity: ParticipantIdentity; readonly name: string },
): Promise<string> {
  const { room, identity, name } = viewer;
  const token = new AccessToken(apiKey, apiSecret, { identity, name, ttl: TOKEN_TTL_S });
  token.addGrant({
    room,
    roomJoin: true,
    canSubscribe: true,
    canPublish: false,
    canPublishData: true,
    canUpdateOwnMetadata: false,
  });
  return token.toJwt();
}

/** Where a gateway's room page shows a room. What follows the # is never sent to a server, and so in no log. */
export function roomPageAddress(
  gatewayUrl: string,
  viewer: { readonly url: string; readonly token: string },
): string {
  return `${gatewayUrl}/room#${new URLSearchParams({ url: viewer.url, token: viewer.token }).toString()}`;
}
