import type { ServerResponse } from 'node:http';
import type { CaptionError } from '../../protocol/index.js';
import { toCaptionError } from './websocket-closing.js';

const TOO_MANY_REQUESTS = 429;

const STATUSES: Readonly<Record<string, number>> = {
  unauthorised: 401,
  token_expired: 401,
  access_withdrawn: 403,
  forbidden: 403,
  origin_refused: 403,
  not_found: 404,
  livekit_room_missing: 404,
  transcript_missing: 404,
  transcript_off: 404,
  report_off: 404,
  transcript_elsewhere: 409,
  message_too_large: 413,
  captioner_too_fast: TOO_MANY_REQUESTS,
  downloads_busy: TOO_MANY_REQUESTS,
  messages_too_fast: TOO_MANY_REQUESTS,
  internal_error: 500,
  report_failed: 500,
  livekit_unreachable: 503,
  report_busy: 503,
  too_many_rooms: 503,
  too_many_captioners: 503,
  shutting_down: 503,
};

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Tells what went wrong; the error that was told. */
export function sendError(response: ServerResponse, thrown: unknown): CaptionError {
  const error = toCaptionError(thrown);
  if (response.headersSent) {
    response.destroy();
    return error;
  }
  if (STATUSES[error.code] === 401 && !response.hasHeader('WWW-Authenticate'))
    response.setHeader('WWW-Authenticate', 'Bearer');
  const status = STATUSES[error.code] ?? 400;
  if (status === TOO_MANY_REQUESTS) response.setHeader('Retry-After', '1');
  sendJson(response, status, { code: error.code, message: error.message });
  return error;
}
