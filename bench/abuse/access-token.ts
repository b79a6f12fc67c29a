import { SignJWT } from 'jose';

/** Access tokens as LiveKit's server SDKs make them, with whatever an attack wants in them. */
export interface SpeakerGrant {
  readonly room: string;
  readonly identity: string;
  readonly name?: string;
  /** Besides `roomJoin`. */
  readonly video?: Readonly<Record<string, unknown>>;
  /** Other claims, such as `attributes`. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** From now; default an hour. */
  readonly expiresInS?: number;
}

const HOUR_S = 3600;

export function signToken(
  { apiKey, apiSecret }: { readonly apiKey: string; readonly apiSecret: string },
  grant: SpeakerGrant,
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  return new SignJWT({
    ...(grant.name === undefined ? {} : { name: grant.name }),
    video: { roomJoin: true, room: grant.room, ...grant.video },
    ...grant.claims,
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(apiKey)
    .setSubject(grant.identity)
    .setNotBefore(nowS - HOUR_S)
    .setExpirationTime(nowS + (grant.expiresInS ?? HOUR_S))
    .sign(new TextEncoder().encode(apiSecret));
}

/** Whoever may write captions: by the claim of today, and by the attribute that counted in builds before. */
export const captionerClaims = {
  attributes: { 'caption-gateway.captioner': 'true' },
  captionGateway: { captioner: true },
} as const;
