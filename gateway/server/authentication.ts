import type { IncomingMessage } from 'node:http';
import {
  CaptionError,
  epochMs,
  type EpochMs,
  type ParticipantIdentity,
  roomName,
  type RoomName,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';
import type { RoomAccess, RoomAction } from './access/room-access.js';
import { CAPTIONER_ATTRIBUTE, type TokenClaims, TokenReader, unauthorised } from './access/token-claims.js';
import type { TokenOwner } from './access/token-owner.js';

/** What a client may do, from its LiveKit access token. Without authentication everything is allowed. */
export interface Permissions {
  /** Absent without authentication: then anybody is who they say. */
  readonly owner?: TokenOwner;
  /** For which room the token was made, if for one. Identities of different rooms may be of different people. */
  readonly room?: RoomName;
  /** When the token ends; absent without authentication. */
  readonly expiresAtMs?: EpochMs;
  /** Throws CaptionError `forbidden` or `access_withdrawn`, as all of these. */
  requireSpeak(room: RoomName, identity: ParticipantIdentity): void;
  requireView(room: RoomName): void;
  /** Whether `requireView` would let pass. */
  mayView(room: RoomName): boolean;
  /** To write captions as a person. */
  requireWrite(room: RoomName): void;
  /** To read transcripts of meetings that are over, and to delete them. */
  requireAdminister(room: RoomName): void;
}

export interface Authenticator {
  /**
   * Throws CaptionError `unauthorised` for a missing, foreign or malformed token, and `token_expired`. `tokenInAddress` counts where
   * the request's headers hold none.
   */
  authenticate(request: IncomingMessage, tokenInAddress?: string): Promise<Permissions>;
  /** The same for a token that a connected client sends. */
  read(token: string): Promise<Permissions>;
}

const EVERYTHING: Permissions = {
  requireSpeak: () => undefined,
  requireView: () => undefined,
  mayView: () => true,
  requireWrite: () => undefined,
  requireAdminister: () => undefined,
};

/** For a gateway on loopback without keys. */
export const allowEverything: Authenticator = {
  authenticate: () => Promise.resolve(EVERYTHING),
  read: () => Promise.resolve(EVERYTHING),
};

/** LiveKit's access tokens, less what its server has taken away since they were made. */
export function liveKitTokens(
  { apiKey, apiSecret }: { readonly apiKey: string; readonly apiSecret: string },
  access: RoomAccess,
): Authenticator {
  const reader = new TokenReader(apiKey, apiSecret);
  const read = async (token: string): Promise<Permissions> => permissionsOf(await reader.read(token), access);
  return {
    read,
    async authenticate(request, tokenInAddress) {
      const token = tokenOf(request) ?? tokenInAddress;
      if (token === undefined) {
        throw unauthorised(
          `An access token is needed: header "Authorization: Bearer <token>", or WebSocket sub-protocol "${TOKEN_SUBPROTOCOL_PREFIX}<token>".`,
        );
      }
      return read(token);
    },
  };
}

export function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header.split(',').map((name) => name.trim());
}

function tokenOf(request: IncomingMessage): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const offered = offeredSubprotocols(request).find((name) => name.startsWith(TOKEN_SUBPROTOCOL_PREFIX));
  return offered?.slice(TOKEN_SUBPROTOCOL_PREFIX.length);
}

function permissionsOf(claims: TokenClaims, access: RoomAccess): Permissions {
  const { owner, grant, issuedAtMs } = claims;
  // As in LiveKit: what is not said about publishing and subscribing is allowed to those who may join.
  const rights = { maySubscribe: grant.canSubscribe !== false, maySpeak: maySpeak(claims) };
  const mayJoin = (room: RoomName): boolean => grant.roomJoin === true && grant.room === room;
  const requireRoom = (room: RoomName, isAllowed: boolean, what: string): void => {
    if (!mayJoin(room) || !isAllowed)
      throw forbidden(`The access token does not allow to ${what} in this room.`);
  };
  const checkAccess = (room: RoomName, action: RoomAction): void =>
    access.check({ room, identity: owner?.identity, issuedAtMs, rights }, action);
  const requireView = (room: RoomName): void => {
    requireRoom(room, rights.maySubscribe, 'see captions');
    checkAccess(room, 'view');
  };
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(typeof grant.room === 'string' && grant.room !== '' ? { room: roomName(grant.room) } : {}),
    expiresAtMs: epochMs(claims.expiresAtMs),
    requireSpeak(room, identity) {
      requireRoom(room, rights.maySpeak, 'speak');
      if (owner?.identity !== identity)
        throw forbidden('The access token is for another identity than hello.speaker.identity.');
      checkAccess(room, 'speak');
    },
    requireView,
    mayView: (room) => passes(() => requireView(room)),
    requireWrite(room) {
      if (claims.hasCaptionerAttribute && !claims.isCaptioner) throw forbidden(ATTRIBUTE_IS_NO_GRANT);
      requireRoom(room, claims.isCaptioner && owner !== undefined, 'write captions');
      checkAccess(room, 'write');
    },
    requireAdminister(room) {
      if (grant.roomAdmin !== true || grant.room !== room)
        throw forbidden('This needs an access token with roomAdmin for this room.');
      checkAccess(room, 'administer');
    },
  };
}

/** An application that lets somebody publish some sources only lists them; LiveKit takes an empty list for all. */
function maySpeak({ grant: { canPublish, canPublishSources } }: TokenClaims): boolean {
  if (canPublish === false) return false;
  const isListed = Array.isArray(canPublishSources) && canPublishSources.length > 0;
  return !isListed || canPublishSources.includes('microphone');
}

function passes(requirement: () => void): boolean {
  try {
    requirement();
    return true;
  } catch (error) {
    if (error instanceof CaptionError) return false;
    throw error;
  }
}

const ATTRIBUTE_IS_NO_GRANT =
  `The attribute "${CAPTIONER_ATTRIBUTE}" makes no captioners any more, because participants can give it to themselves. ` +
  'Sign the token with the claim "captionGateway": {"captioner": true} instead.';

const forbidden = (message: string): CaptionError => new CaptionError('forbidden', message);
