import { reportStrayError } from '../asr/detached.js';
import { CaptionError } from '../protocol/index.js';

/** A process in which this happens again and again is not what it should be: another one takes over better. */
const MAX_EXCEPTIONS = 10;
const WITHIN_MS = 60_000;

/**
 * For programs that run for long: an error that nothing caught is reported, and the process goes on. What such an error has
 * interrupted is one message or one timer, while the end of the process is the end of all captions. When exceptions come again and
 * again, `giveUp` is called, once, to end in order. Stops when the result is called.
 */
export function goOnAfterErrors(giveUp: (error: CaptionError) => void): () => void {
  let atMs: number[] = [];
  let hasGivenUp = false;
  const rejected = (error: unknown): void => reportStrayError('a promise', error);
  const thrown = (error: unknown): void => {
    reportStrayError('an event', error);
    const nowMs = performance.now();
    atMs = [...atMs.filter((moment) => nowMs - moment < WITHIN_MS), nowMs];
    if (atMs.length < MAX_EXCEPTIONS || hasGivenUp) return;
    hasGivenUp = true;
    giveUp(
      new CaptionError(
        'internal_error',
        `${MAX_EXCEPTIONS} errors within a minute; the last is in the log.`,
        {
          cause: error,
        },
      ),
    );
  };
  process.on('unhandledRejection', rejected);
  process.on('uncaughtException', thrown);
  return () => {
    process.off('unhandledRejection', rejected);
    process.off('uncaughtException', thrown);
  };
}
