import type { IncomingMessage } from 'node:http';
import { errors as joseErrors, type JWTPayload, jwtVerify } from 'jose';
import {
  CaptionError,
  MAX_NAME_CHARS,
  participantIdentity,
  type ParticipantIdentity,
  type RoomName,
  TOKEN_SUBPROTOCOL_PREFIX,
} from '../../protocol/index.js';

/** Whom a token was made for. */
export interface TokenOwner {
  readonly identity: ParticipantIdentity;
  /** May be empty. */
  readonly name: string;
}

/** What a client may do, from its LiveKit access token. Without authentication everything is allowed. */
export interface Permissions {
  /** Absent without authentication: then anybody is who they say. */
  readonly owner?: TokenOwner;
  /** Throws CaptionError `forbidden`. */
  requireSpeak(room: RoomName, identity: ParticipantIdentity): void;
  /** Throws CaptionError `forbidden`. */
  requireView(room: RoomName): void;
  /** Whether `requireView` would let pass. */
  mayView(room: RoomName): boolean;
  /** To write captions as a person. Throws CaptionError `forbidden`. */
  requireWrite(room: RoomName): void;
  /** To read transcripts of meetings that are over, and to delete them. Throws CaptionError `forbidden`. */
  requireAdminister(room: RoomName): void;
}

export interface Authenticator {
  /**
   * Throws CaptionError `unauthorised` for a missing, foreign, expired or malformed token. `tokenInAddress` counts where the
   * request's headers hold none.
   */
  authenticate(request: IncomingMessage, tokenInAddress?: string): Promise<Permissions>;
}

interface VideoGrant {
  readonly room?: unknown;
  readonly roomJoin?: unknown;
  readonly canPublish?: unknown;
  readonly canSubscribe?: unknown;
  readonly roomAdmin?: unknown;
}

/** The attribute of an access token that makes its owner a captioner: its value is "true". */
export const CAPTIONER_ATTRIBUTE = 'caption-gateway.captioner';

const EVERYTHING: Permissions = {
  requireSpeak: () => undefined,
  requireView: () => undefined,
  mayView: () => true,
  requireWrite: () => undefined,
  requireAdminister: () => undefined,
};

/** For a gateway on loopback without keys. */
export const allowEverything: Authenticator = { authenticate: () => Promise.resolve(EVERYTHING) };

/** Access tokens as LiveKit's server SDKs make them: HS256, issuer = API key, claim `video` = grants, subject = identity. */
export function liveKitTokens(apiKey: string, apiSecret: string): Authenticator {
  const secret = new TextEncoder().encode(apiSecret);
  return {
    async authenticate(request, tokenInAddress) {
      const token = tokenOf(request) ?? tokenInAddress;
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
        return permissionsOf(payload);
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

function permissionsOf({ sub, video, attributes, name }: JWTPayload): Permissions {
  const grant: VideoGrant = isRecord(video) ? video : {};
  const isCaptioner = isRecord(attributes) && attributes[CAPTIONER_ATTRIBUTE] === 'true';
  // As in LiveKit: what is not said about publishing and subscribing is allowed to those who may join.
  const isGranted = (room: RoomName, mayDo: unknown): boolean =>
    grant.roomJoin === true && grant.room === room && mayDo !== false;
  const requireRoom = (room: RoomName, mayDo: unknown, what: string): void => {
    if (!isGranted(room, mayDo))
      throw new CaptionError('forbidden', `The access token does not allow to ${what} in this room.`);
  };
  const owner = ownerOf(sub, name);
  return {
    ...(owner === undefined ? {} : { owner }),
    requireSpeak(room, identity) {
      requireRoom(room, grant.canPublish, 'speak');
      if (sub === identity) return;
      throw new CaptionError(
        'forbidden',
        'The access token is for another identity than hello.speaker.identity.',
      );
    },
    requireView: (room) => requireRoom(room, grant.canSubscribe, 'see captions'),
    mayView: (room) => isGranted(room, grant.canSubscribe),
    requireWrite: (room) => requireRoom(room, isCaptioner && owner !== undefined, 'write captions'),
    requireAdminister(room) {
      if (grant.roomAdmin === true && grant.room === room) return;
      throw new CaptionError('forbidden', 'This needs an access token with roomAdmin for this room.');
    },
  };
}

/** Undefined where the identity is none that captions can carry. */
function ownerOf(subject: string | undefined, name: unknown): TokenOwner | undefined {
  if (subject === undefined || subject === '' || subject.length > MAX_NAME_CHARS) return undefined;
  const shown = typeof name === 'string' ? name.slice(0, MAX_NAME_CHARS) : '';
  return { identity: participantIdentity(subject), name: shown };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const unauthorised = (message: string): CaptionError => new CaptionError('unauthorised', message);
