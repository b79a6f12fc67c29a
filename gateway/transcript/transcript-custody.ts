import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { errorMessage } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import { pause } from '../pause.js';
import type { GatewayPresence } from './gateway-presence.js';
import { PRIVATE_FOLDERS } from './private-folders.js';
import type { MeetingNotices } from './meeting-notices.js';
import { readMeeting, type StoredMeeting, type TranscriptFiles } from './transcript-files.js';
import { encodeLine, type MeetingEnd } from './transcript-line.js';
import { machineClockMs } from '../clock.js';

/** A gateway that died holds the lock for so long at most. */
const STALE_AFTER_MS = 5000;
const LOOK_INTERVAL_MS = 2000;
const SWEEP_INTERVAL_MS = 3_600_000;
/** A round that failed is tried again soon; deletion counts as late when it has not been done for so long. */
const RETRY_SWEEP_MS = 60_000;
const LATE_AFTER_MS = 2 * SWEEP_INTERVAL_MS;

export interface TranscriptCustodyOptions {
  readonly files: TranscriptFiles;
  readonly notices?: MeetingNotices;
  readonly presence: GatewayPresence;
  readonly log: Logger;
  /** A round did not succeed; the next one comes. */
  readonly failed?: () => void;
  /** For tests. */
  readonly lookIntervalMs?: number;
}

/**
 * Looks after the folder of transcripts: it ends the meetings of gateways that died, tells of ends that were not told, and
 * every hour deletes what is too old. Of several gateways with one folder, one does it; meetings of those that live are theirs
 * alone. What fails is logged, once until it is another failure, and done again in the next round. `close` lets go.
 */
export class TranscriptCustody {
  readonly #options: TranscriptCustodyOptions;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  /** Undefined while another gateway does it, or nobody can. */
  #release: (() => Promise<void>) | undefined;
  #sweepsAtMs = -Infinity;
  #sweptAtMs = performance.now();
  #trouble = '';

  constructor(options: TranscriptCustodyOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Whether expired transcripts should have been deleted by now, and nobody is known to do it. */
  get isLate(): boolean {
    return performance.now() - this.#sweptAtMs > LATE_AFTER_MS;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { lookIntervalMs = LOOK_INTERVAL_MS } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#round();
        if (this.#trouble !== '') this.#options.log.info('transcripts are looked after again');
        this.#trouble = '';
      } catch (error) {
        this.#failed(error);
      }
      await pause(lookIntervalMs, signal);
    }
    await this.#release?.().catch(() => undefined);
  }

  async #round(): Promise<void> {
    const { files, presence, log } = this.#options;
    this.#release ??= await this.#lock();
    if (this.#release === undefined) {
      // Another gateway holds the lock, and does it.
      this.#sweptAtMs = performance.now();
      return;
    }
    const dead = await presence.dead();
    const isSweep = performance.now() >= this.#sweepsAtMs;
    // What fails is not done again with every look.
    if (isSweep) this.#sweepsAtMs = performance.now() + RETRY_SWEEP_MS;
    if (isSweep || dead.length > 0) await this.#endAbandoned();
    await presence.bury(dead);
    if (!isSweep) return;
    const removed = await files.removeExpired(machineClockMs());
    this.#sweptAtMs = performance.now();
    this.#sweepsAtMs = this.#sweptAtMs + SWEEP_INTERVAL_MS;
    if (removed > 0) log.info({ meetings: removed }, 'expired transcripts deleted');
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#options.failed?.();
    const trouble = errorMessage(error);
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.log.error({ error: trouble }, 'transcripts are not looked after; tried again');
  }

  /** Undefined where another gateway holds it. */
  async #lock(): Promise<(() => Promise<void>) | undefined> {
    const path = join(this.#options.files.dir, 'lock');
    try {
      return await lockfile.lock(path, {
        lockfilePath: path,
        realpath: false,
        fs: PRIVATE_FOLDERS,
        stale: STALE_AFTER_MS,
        // A clock that jumped, or a folder that went: it is taken again.
        onCompromised: () => {
          this.#release = undefined;
          this.#options.log.warn('lock on transcripts lost');
        },
      });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ELOCKED') return undefined;
      throw error;
    }
  }

  async #endAbandoned(): Promise<void> {
    const { files, presence, notices, log } = this.#options;
    for await (const path of files.paths()) {
      if (this.#closing.signal.aborted) return;
      const stored = await readMeeting(path);
      if (stored === undefined || (await presence.isAlive(stored.head.gateway))) continue;
      let end = stored.end;
      if (end === undefined) {
        end = await this.#endFile(stored);
        log.info({ meeting: stored.head.meeting }, 'meeting of a gateway that died ended');
      }
      if (stored.head.webhook && !stored.isTold)
        notices?.ended({ ...stored.transcript, endedAtMs: end.endedAtMs }, end.reason);
    }
  }

  async #endFile(stored: StoredMeeting): Promise<MeetingEnd> {
    const end = { endedAtMs: stored.lastMs, reason: 'gateway_died' } as const;
    const file = this.#options.files.open(stored.head, stored.bytes);
    file.append(encodeLine({ kind: 'end', ...end }, 0));
    await file.close();
    return end;
  }
}
