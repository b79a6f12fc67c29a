/** What clients and the gateway agree on before the first WebSocket message. */

/** The sub-protocol that the gateway speaks on `/v1/ingest` and `/v1/captions`. */
export const SUBPROTOCOL = 'caption-gateway.v1';
/** A browser cannot set headers on a WebSocket: it offers the sub-protocol `access_token.<JWT>` besides `SUBPROTOCOL`. */
export const TOKEN_SUBPROTOCOL_PREFIX = 'access_token.';

/**
 * What a gateway's close means to a client: `again` (connect again), `token_ended` (with a newer token), or `final`: the same try would
 * fail again. The reason of a gateway is `code: text`.
 */
export function closeMeaning(code: number, reason: string): 'again' | 'token_ended' | 'final' {
  if (code === 4401 && reason.startsWith('token_expired:')) return 'token_ended';
  return code >= 4400 && code < 4408 ? 'final' : 'again';
}

/** What a close says to a person. */
export const closeText = (reason: string): string => reason.replace(/^[a-z_]+: /, '');
