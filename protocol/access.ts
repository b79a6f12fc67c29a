/**
 * How a connection outlives its access token: the same two messages on `/v1/captions`, `/v1/ingest` and `/v1/captioner`. A connection
 * ends when its token does, unless the client hands over a newer one before.
 */
import type { Bounds, FieldReader } from './field-reader.js';
import { MAX_EPOCH_MS, MAX_NAME_CHARS } from './limits.js';
import { epochMs, type EpochMs } from './units.js';

/** What servers take in a header, which is the other way to bring a token. */
export const MAX_TOKEN_CHARS = 8192;

/** Client to gateway: a newer access token, for the same identity and room and with as many rights. Answered by `access`. */
export interface TokenMessage {
  readonly kind: 'token';
  readonly token: string;
}

/** Gateway to client: until when this connection may go on. When it has begun, and in answer to `token`. */
export interface AccessMessage {
  readonly kind: 'access';
  /** The end of the token that counts now; absent where none is needed. Some seconds later the connection is closed with 4401. */
  readonly expiresAtMs?: EpochMs;
  /** Why the token that was sent is not taken: the one before counts on. */
  readonly refusal?: { readonly code: string; readonly message: string };
}

const TOKEN: Bounds = { min: 1, max: MAX_TOKEN_CHARS };
const CODE: Bounds = { min: 1, max: MAX_NAME_CHARS };
const TEXT: Bounds = { min: 0, max: 1000 };
const MOMENT: Bounds = { min: 0, max: MAX_EPOCH_MS };

/** Throws `CodecError` `message_malformed`. */
export function readTokenMessage(fields: FieldReader): TokenMessage {
  const token = fields.text('token', TOKEN);
  // RFC 6750, section 2.1: what a token can consist of.
  if (!/^[\w.~+/-]+=*$/.test(token)) throw fields.malformed('token', 'an access token');
  return { kind: 'token', token };
}

/** Throws `CodecError` `message_malformed`. */
export function readAccessMessage(fields: FieldReader): AccessMessage {
  const expiresAtMs = fields.optionalInteger('expiresAtMs', MOMENT);
  const refusal = fields.optionalObject('refusal');
  return {
    kind: 'access',
    ...(expiresAtMs === undefined ? {} : { expiresAtMs: epochMs(expiresAtMs) }),
    ...(refusal === undefined
      ? {}
      : { refusal: { code: refusal.text('code', CODE), message: refusal.text('message', TEXT) } }),
  };
}
