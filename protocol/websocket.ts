/** What clients and the gateway agree on before the first WebSocket message. */

/** The sub-protocol that the gateway speaks on `/v1/ingest` and `/v1/captions`. */
export const SUBPROTOCOL = 'caption-gateway.v1';
/** A browser cannot set headers on a WebSocket: it offers the sub-protocol `access_token.<JWT>` besides `SUBPROTOCOL`. */
export const TOKEN_SUBPROTOCOL_PREFIX = 'access_token.';
