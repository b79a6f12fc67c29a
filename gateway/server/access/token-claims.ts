import { decodeJwt, errors as joseErrors, type JWTPayload, jwtVerify } from 'jose';
import { CaptionError, MAX_NAME_CHARS, participantIdentity } from '../../../protocol/index.js';
import type { TokenOwner } from './token-owner.js';
import { machineClockMs } from '../../clock.js';

/**
 * How far the clock of whoever makes tokens may be from ours. LiveKit's server allows as much (livekit/protocol, auth/verifier.go):
 * a token that is good there is good here.
 */
export const CLOCK_LEEWAY_MS = 60_000;

/** The claims that count, of a token whose signature was checked. */
export interface TokenClaims {
  /** Undefined where the identity is none that captions can carry. */
  readonly owner: TokenOwner | undefined;
  readonly grant: VideoGrant;
  /** From `captionGateway.captioner`. LiveKit's server puts no claim into the tokens it signs for participants but its own. */
  readonly isCaptioner: boolean;
  /** It has the attribute that once made a captioner, which participants may be able to set themselves. */
  readonly hasCaptionerAttribute: boolean;
  readonly expiresAtMs: number;
  /** When it was made, as far as it says so. */
  readonly issuedAtMs: number | undefined;
}

export interface VideoGrant {
  readonly room?: unknown;
  readonly roomJoin?: unknown;
  readonly canPublish?: unknown;
  readonly canPublishSources?: unknown;
  readonly canSubscribe?: unknown;
  readonly roomAdmin?: unknown;
}

/** What once made its owner a captioner, with the value "true". */
export const CAPTIONER_ATTRIBUTE = 'caption-gateway.captioner';

/**
 * Checks access tokens as LiveKit's server SDKs make them: HS256, issuer = API key, claim `video` = grants, subject = identity.
 * Throws CaptionError `unauthorised` (another token is needed) or `token_expired` (this one was good).
 */
export class TokenReader {
  readonly #apiKey: string;
  readonly #secret: Uint8Array;

  constructor(apiKey: string, apiSecret: string) {
    this.#apiKey = apiKey;
    this.#secret = new TextEncoder().encode(apiSecret);
  }

  async read(token: string): Promise<TokenClaims> {
    try {
      const { payload } = await jwtVerify(token, this.#secret, {
        algorithms: ['HS256'],
        issuer: this.#apiKey,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_LEEWAY_MS / 1000,
      });
      return claimsOf(payload);
    } catch (error) {
      throw refusal(error, token);
    }
  }
}

function claimsOf(payload: JWTPayload): TokenClaims {
  const { sub, name, video, attributes, captionGateway, exp = 0, iat, nbf } = payload;
  const issuedAtS = iat ?? nbf;
  return {
    owner: ownerOf(sub, name),
    grant: isRecord(video) ? video : {},
    isCaptioner: isRecord(captionGateway) && captionGateway['captioner'] === true,
    hasCaptionerAttribute: isRecord(attributes) && attributes[CAPTIONER_ATTRIBUTE] === 'true',
    // Some write fractions of a second; whoever is told the time expects whole milliseconds.
    expiresAtMs: Math.floor(exp * 1000),
    issuedAtMs: issuedAtS === undefined ? undefined : Math.floor(issuedAtS * 1000),
  };
}

function ownerOf(subject: string | undefined, name: unknown): TokenOwner | undefined {
  if (subject === undefined || subject === '' || subject.length > MAX_NAME_CHARS) return undefined;
  return { identity: participantIdentity(subject), name: typeof name === 'string' ? name : '' };
}

function refusal(error: unknown, token: string): CaptionError {
  const nowS = machineClockMs() / 1000;
  if (error instanceof joseErrors.JWTExpired) {
    return tokenExpired((error.payload.exp ?? 0) * 1000);
  }
  const { nbf } = error instanceof joseErrors.JWTClaimValidationFailed ? error.payload : {};
  if (
    error instanceof joseErrors.JWTClaimValidationFailed &&
    error.claim === 'nbf' &&
    typeof nbf === 'number'
  ) {
    const aheadS = nbf - nowS;
    return unauthorised(
      `The access token begins (nbf) in ${Math.ceil(aheadS)} s, by the gateway's clock. If it was made just now, the clocks differ by ${Math.ceil(aheadS)} s: synchronise the clocks of both machines.`,
    );
  }
  return unauthorised(`The access token is not valid here${reasonOf(error, token)}.`);
}

/** What may be said to somebody who does not know the secret: nothing about it, and nothing that is not in the token. */
function reasonOf(error: unknown, token: string): string {
  if (error instanceof joseErrors.JWSSignatureVerificationFailed)
    return ': it is signed with another secret than LIVEKIT_API_SECRET';
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return ': it must be signed with HS256';
  if (error instanceof joseErrors.JWTClaimValidationFailed && error.claim === 'iss')
    return ': its issuer (iss) must be LIVEKIT_API_KEY';
  if (error instanceof joseErrors.JWTClaimValidationFailed && error.claim === 'exp')
    return ': it must have a time at which it ends (exp), a number of seconds since 1970';
  if (error instanceof joseErrors.JWTClaimValidationFailed && ['nbf', 'iat'].includes(error.claim))
    return `: ${error.claim} must be a number of seconds since 1970`;
  return isReadable(token) ? '' : ': it is not a JSON Web Token';
}

function isReadable(token: string): boolean {
  try {
    decodeJwt(token);
    return true;
  } catch {
    return false;
  }
}

/** Retryable with a new token. */
export const tokenExpired = (expiredAtMs: number): CaptionError => {
  const agoS = Math.max(0, Math.round((machineClockMs() - expiredAtMs) / 1000));
  return new CaptionError(
    'token_expired',
    `The access token ended ${agoS} s ago, by the gateway's clock. Connect with a new one.`,
    { retryable: true },
  );
};

export const unauthorised = (message: string): CaptionError => new CaptionError('unauthorised', message);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
