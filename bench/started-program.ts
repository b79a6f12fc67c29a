/** Programs that a bench starts: until they have printed what it waits for, and to their end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { CaptionError } from '../protocol/index.js';

const PRINTED_DEADLINE_MS = 60_000;
const EXIT_DEADLINE_MS = 10_000;
const KEPT_CHARACTERS = 20_000;

/**
 * What `find` finds in what is printed. A program that ends before, or has not printed it within a minute, is killed; throws what
 * `failure` makes of what was printed last.
 */
export function untilPrinted<Found>(
  child: ChildProcess,
  options: {
    readonly stream: Readable | null;
    readonly find: (printed: string) => Found | undefined;
    readonly failure: (printed: string) => CaptionError;
  },
): Promise<Found> {
  const { stream, find, failure } = options;
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = (): void => {
      child.kill('SIGKILL');
      clearTimeout(timer);
      reject(failure(printed.slice(-2000)));
    };
    const timer = setTimeout(fail, PRINTED_DEADLINE_MS);
    child.once('close', fail);
    stream?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-KEPT_CHARACTERS);
      const found = find(printed);
      if (found === undefined) return;
      clearTimeout(timer);
      child.off('close', fail);
      // Read on and forget, or a full pipe would hold the program up.
      stream.removeAllListeners('data').resume();
      resolve(found);
    });
  });
}

/** Asks it to end, and kills it where it does not. Idempotent. Resolves when it is gone. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_DEADLINE_MS);
  await gone;
  clearTimeout(timer);
}
