/** One installer at a time: a lock between processes that a killed one does not leave behind for long. */
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { CaptionError } from '../../protocol/index.js';

/** A lock whose owner has not shown a sign of life for so long counts as abandoned. */
const STALE_AFTER_MS = 15_000;
const RETRY_EVERY_MS = 250;

export interface LockOptions {
  /** The lock is a folder of this name; the folder around it must exist. */
  readonly lockPath: string;
  /** How long to wait for another owner. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when another owner has to be waited for. */
  readonly onWait?: () => void;
}

/**
 * Runs `work` while holding the lock. Its signal aborts when the caller's does, and when the lock was lost (the machine
 * slept and another process took it). Throws CaptionError `model_locked` after `waitMs`, and the signal's reason.
 */
export async function withLock<T>(
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const release = await acquire(options, () => {
    lost.abort(
      new CaptionError('model_locked', 'Another process took over the installation; run the command again.', {
        retryable: true,
      }),
    );
  });
  try {
    return await work(options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal);
  } finally {
    // A lock that was lost is not ours to release.
    if (!lost.signal.aborted) await release();
  }
}

async function acquire(options: LockOptions, onLost: () => void): Promise<() => Promise<void>> {
  const attempts = Math.max(1, Math.ceil(options.waitMs / RETRY_EVERY_MS));
  for (let attempt = 0; attempt < attempts; attempt++) {
    options.signal?.throwIfAborted();
    const release = await tryLock(options.lockPath, onLost);
    if (release !== undefined) return release;
    if (attempt === 0) options.onWait?.();
    await delay(RETRY_EVERY_MS, undefined, { signal: options.signal }).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw error;
    });
  }
  throw new CaptionError(
    'model_locked',
    `Another process has been installing this model for ${Math.round(options.waitMs / 1000)} s. ` +
      `If there is none, delete ${options.lockPath}.`,
    { retryable: true },
  );
}

async function tryLock(lockPath: string, onLost: () => void): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lockfile.lock(lockPath, {
      lockfilePath: lockPath,
      realpath: false,
      stale: STALE_AFTER_MS,
      onCompromised: onLost,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined;
    throw error;
  }
}
