import { SignJWT } from 'jose';

export const TEST_KEYS = {
  LIVEKIT_API_KEY: 'devkey',
  LIVEKIT_API_SECRET: 'a-secret-of-at-least-32-characters',
} as const;

export interface TokenChanges {
  readonly identity?: string;
  /** Default `Ana`. */
  readonly name?: string;
  readonly video?: Record<string, unknown>;
  readonly attributes?: Record<string, string>;
  /** May write captions. */
  readonly isCaptioner?: boolean;
  readonly issuer?: string;
  readonly secret?: string;
  readonly algorithm?: 'HS256' | 'HS512';
  /** Seconds from now; null for a token that never expires. Default 600. */
  readonly expiresInS?: number | null;
  /** Seconds from now. Default -1000. */
  readonly beginsInS?: number;
  /** When it was made, in seconds from now. Default: it does not say so. */
  readonly issuedInS?: number;
}

/** For tokens that are no captioner's: what once made one. */
export const CAPTIONER_ATTRIBUTE = { 'caption-gateway.captioner': 'true' };

/** An access token as LiveKit's server SDKs make them; by default one with which `ana` may do everything in `council`. */
export function accessToken(changes: TokenChanges = {}): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  const { expiresInS = 600, beginsInS = -1000, issuedInS } = changes;
  const token = new SignJWT({
    name: changes.name ?? 'Ana',
    video: changes.video ?? { room: 'council', roomJoin: true },
    ...(changes.attributes === undefined ? {} : { attributes: changes.attributes }),
    ...(changes.isCaptioner === true ? { captionGateway: { captioner: true } } : {}),
  })
    .setProtectedHeader({ alg: changes.algorithm ?? 'HS256', typ: 'JWT' })
    .setIssuer(changes.issuer ?? TEST_KEYS.LIVEKIT_API_KEY)
    .setSubject(changes.identity ?? 'ana')
    .setNotBefore(nowS + beginsInS);
  if (issuedInS !== undefined) token.setIssuedAt(nowS + issuedInS);
  if (expiresInS !== null) token.setExpirationTime(nowS + expiresInS);
  return token.sign(new TextEncoder().encode(changes.secret ?? TEST_KEYS.LIVEKIT_API_SECRET));
}
