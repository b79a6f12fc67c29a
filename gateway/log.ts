import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { standardError } from './log-destination.js';
import { roomLabel } from './rooms/room-label.js';

export type Logger = PinoLogger;

/**
 * Logs go to standard error as JSON lines. Messages are constant; what varies is in fields. Caption text and names of
 * people appear in the fields `text`, `name` and `identity` only, names of rooms in `room`, and those are replaced unless the
 * level is trace: a room by its label.
 */
export function createLogger(level: string, destination: DestinationStream = standardError): Logger {
  if (level === 'trace') return pino({ level, base: null }, destination);
  const redact = ['text', 'name', 'identity', '*.text', '*.name', '*.identity'];
  const serializers = { room: (room: unknown) => (typeof room === 'string' ? roomLabel(room) : room) };
  return pino({ level, redact, serializers, base: null }, destination);
}
