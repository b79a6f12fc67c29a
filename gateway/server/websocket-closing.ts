import type { WebSocket } from 'ws';
import { CaptionError } from '../../protocol/index.js';

/** WebSocket close codes of this gateway; the reason starts with the error's code. 4000 to 4999 are for applications. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  badRequest: 4400,
  unauthorised: 4401,
  forbidden: 4403,
  tooSlow: 4408,
  conflict: 4409,
  tooFast: 4429,
  internal: 4500,
  full: 4503,
} as const;

const CODES: Readonly<Record<string, number>> = {
  unauthorised: CLOSE.unauthorised,
  token_expired: CLOSE.unauthorised,
  access_withdrawn: CLOSE.forbidden,
  forbidden: CLOSE.forbidden,
  origin_refused: CLOSE.forbidden,
  viewer_too_slow: CLOSE.tooSlow,
  ingest_idle: CLOSE.tooSlow,
  stream_taken_over: CLOSE.conflict,
  audio_too_fast: CLOSE.tooFast,
  captioner_too_fast: CLOSE.tooFast,
  messages_too_fast: CLOSE.tooFast,
  too_many_connections: CLOSE.full,
  too_many_captioners: CLOSE.full,
  too_many_rooms: CLOSE.full,
  too_many_speakers: CLOSE.full,
  shutting_down: CLOSE.goingAway,
  internal_error: CLOSE.internal,
};

/** A peer that does not finish the closing handshake is cut off after this. */
export const CLOSE_DEADLINE_MS = 2000;
/** What was on its way when a connection was closed, at the most frames a second that are read anywhere; the rest is not even read. */
const MAX_FRAMES_AFTER_CLOSE = 1000;
/** The protocol allows no more: RFC 6455, section 5.5. */
const MAX_REASON_BYTES = 123;

export const toCaptionError = (thrown: unknown): CaptionError =>
  thrown instanceof CaptionError
    ? thrown
    : new CaptionError('internal_error', 'The gateway failed; try again.', {
        retryable: true,
        cause: thrown,
      });

/** Ends a connection with a reason, and for certain: the socket is destroyed when the peer does not answer. Never throws. */
export function closeWith(socket: WebSocket, error: CaptionError): void {
  try {
    socket.close(CODES[error.code] ?? CLOSE.badRequest, closeReason(error));
  } catch {
    // Whoever ends a connection has nobody to report to, and the connection ends all the same.
    socket.terminate();
    return;
  }
  const timer = setTimeout(() => socket.terminate(), CLOSE_DEADLINE_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  let frames = 0;
  for (const frame of ['message', 'ping', 'pong'] as const)
    socket.on(frame, () => {
      frames += 1;
      if (frames === MAX_FRAMES_AFTER_CLOSE) socket.pause();
    });
}

/** As much of code and message as a close frame holds, cut between characters. */
function closeReason({ code, message }: CaptionError): string {
  const bytes = new Uint8Array(MAX_REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(`${code}: ${message}`, bytes);
  return new TextDecoder().decode(bytes.subarray(0, written));
}
