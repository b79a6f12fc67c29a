import type { IncomingMessage } from 'node:http';
import { errors as joseErrors, jwtVerify } from 'jose';
import {
  CaptionError,
  type ParticipantIdentity,
  type RoomName,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';

/** What a client may do, from its LiveKit access token. Without authentication everything is allowed. */
export interface Permissions {
  /** Throws CaptionError `forbidden`. */
  requireSpeak(room: RoomName, identity: ParticipantIdentity): void;
  /** Throws CaptionError `forbidden`. */
  requireView(room: RoomName): void;
}

export interface Authenticator {
  /** Throws CaptionError `unauthorised` for a missing, foreign, expired or malformed token. */
  authenticate(request: IncomingMessage): Promise<Permissions>;
}

interface VideoGrant {
  readonly room?: unknown;
  readonly roomJoin?: unknown;
  readonly canPublish?: unknown;
  readonly canSubscribe?: unknown;
}

const EVERYTHING: Permissions = { requireSpeak: () => undefined, requireView: () => undefined };

/** For a gateway on loopback without keys. */
export const allowEverything: Authenticator = { authenticate: () => Promise.resolve(EVERYTHING) };

/** Access tokens as LiveKit's server SDKs make them: HS256, issuer = API key, claim `video` = grants, subject = identity. */
export function liveKitTokens(apiKey: string, apiSecret: string): Authenticator {
  const secret = new TextEncoder().encode(apiSecret);
  return {
    async authenticate(request) {
      const token = tokenOf(request);
      if (token === undefined) {
        throw unauthorised(
          `An access token is needed: header "Authorization: Bearer <token>", or WebSocket sub-protocol "${TOKEN_SUBPROTOCOL_PREFIX}<token>".`,
        );
      }
      try {
        const { payload } = await jwtVerify(token, secret, {
          algorithms: ['HS256'],
          issuer: apiKey,
          requiredClaims: ['exp'],
          clockTolerance: 10,
        });
        return permissionsOf(payload['video'], payload.sub);
      } catch (error) {
        if (error instanceof CaptionError) throw error;
        const isExpired = error instanceof joseErrors.JWTExpired;
        throw unauthorised(
          isExpired ? 'The access token has expired; get a new one.' : 'The access token is not valid here.',
        );
      }
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

function permissionsOf(video: unknown, subject: string | undefined): Permissions {
  const grant: VideoGrant = typeof video === 'object' && video !== null ? video : {};
  // As in LiveKit: what is not said about publishing and subscribing is allowed to those who may join.
  const requireRoom = (room: RoomName, mayDo: unknown, what: string): void => {
    const isGranted = grant.roomJoin === true && grant.room === room && mayDo !== false;
    if (!isGranted)
      throw new CaptionError('forbidden', `The access token does not allow to ${what} in this room.`);
  };
  return {
    requireSpeak(room, identity) {
      requireRoom(room, grant.canPublish, 'speak');
      if (subject !== identity) {
        throw new CaptionError(
          'forbidden',
          'The access token is for another identity than hello.speaker.identity.',
        );
      }
    },
    requireView: (room) => requireRoom(room, grant.canSubscribe, 'see captions'),
  };
}

const unauthorised = (message: string): CaptionError => new CaptionError('unauthorised', message);
