import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/**
 * Logs go to standard error as JSON lines. Messages are constant; what varies is in fields. Caption text and names of
 * people appear in the fields `text`, `name` and `identity` only, and those are replaced unless the level is trace.
 */
export function createLogger(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  const redact = level === 'trace' ? [] : ['text', 'name', 'identity', '*.text', '*.name', '*.identity'];
  return pino({ level, redact, base: null }, destination);
}
