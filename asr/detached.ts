/** Errors that nobody waits for: each is reported to whoever watches this process, and ends nothing. */
import { errorMessage } from '../protocol/index.js';

/** `what` was being done, in constant words. */
export interface StrayError {
  readonly what: string;
  readonly error: unknown;
}

type Watcher = (stray: StrayError) => void;

const watchers = new Set<Watcher>();

/** Calls `watcher` for every such error, until the result is called. */
export function watchStrayErrors(watcher: Watcher): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Never throws. Where nobody watches, the error becomes a warning of the process. */
export function reportStrayError(what: string, error: unknown): void {
  if (watchers.size === 0) process.emitWarning(`${what} failed: ${errorMessage(error)}`);
  for (const watcher of watchers) {
    try {
      watcher({ what, error });
    } catch {
      // Who fails at reporting has nobody to report to.
    }
  }
}

/** For a promise that nobody waits for. Its failure is reported; without this it would end the process. */
export function detached(what: string, promise: Promise<unknown> | undefined): void {
  promise?.catch((error: unknown) => reportStrayError(what, error));
}
