import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const STANDARD_ERROR = 2;
const RETRY_MS = 5;
/** A reader that has not taken anything by then does not get the line. */
const MAX_RETRIES = 20;

/**
 * Standard error, written at once. A full disk, or a reader that has gone or does not read, costs lines of the log and nothing else: pino's
 * own destination then keeps the process from ending.
 */
export const standardError: DestinationStream = {
  write(line) {
    let rest = Buffer.from(line);
    for (let retries = 0; rest.length > 0 && retries <= MAX_RETRIES;) {
      try {
        rest = rest.subarray(writeSync(STANDARD_ERROR, rest));
      } catch (error) {
        if (!isBusy(error)) return;
        retries += 1;
        sleep(RETRY_MS);
      }
    }
  },
};

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY');

const sleep = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
