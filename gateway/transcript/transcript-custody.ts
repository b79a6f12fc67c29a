import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { errorMessage } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { GatewayPresence } from './gateway-presence.js';
import type { MeetingNotices } from './meeting-notices.js';
import { readMeeting, type StoredMeeting, type TranscriptFiles } from './transcript-files.js';
import { encodeLine, type MeetingEnd } from './transcript-line.js';
import { machineClockMs } from '../clock.js';

/** A gateway that died holds the lock for so long at most. */
const STALE_AFTER_MS = 5000;
const LOCK_RETRY_MS = 1000;
const LOOK_INTERVAL_MS = 2000;
const SWEEP_INTERVAL_MS = 3_600_000;

export interface TranscriptCustodyOptions {
  readonly files: TranscriptFiles;
  readonly notices?: MeetingNotices;
  readonly presence: GatewayPresence;
  readonly log: Logger;
}

/**
 * Looks after the folder of transcripts: it ends the meetings of gateways that died, tells of ends that were not told, and
 * every hour deletes what is too old. Of several gateways with one folder, one does it; meetings of those that live are theirs
 * alone. `close` lets go.
 */
export class TranscriptCustody {
  readonly #options: TranscriptCustodyOptions;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: TranscriptCustodyOptions) {
    this.#options = options;
    this.#done = this.#run().catch((error: unknown) => {
      if (!this.#closing.signal.aborted)
        options.log.error({ error: errorMessage(error) }, 'transcripts are not looked after');
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { files, presence, log } = this.#options;
    const { signal } = this.#closing;
    const release = await this.#lock();
    try {
      let sweepsAtMs = 0;
      while (!signal.aborted) {
        const dead = await presence.dead();
        const isSweep = performance.now() >= sweepsAtMs;
        if (isSweep || dead.length > 0) await this.#endAbandoned();
        await presence.bury(dead);
        if (isSweep) {
          sweepsAtMs = performance.now() + SWEEP_INTERVAL_MS;
          const removed = await files.removeExpired(machineClockMs());
          if (removed > 0) log.info({ meetings: removed }, 'expired transcripts deleted');
        }
        await pause(LOOK_INTERVAL_MS, undefined, { signal, ref: false });
      }
    } finally {
      await release().catch(() => undefined);
    }
  }

  /** Rejects when closed before. */
  async #lock(): Promise<() => Promise<void>> {
    const path = join(this.#options.files.dir, 'lock');
    for (;;) {
      try {
        return await lockfile.lock(path, {
          lockfilePath: path,
          realpath: false,
          stale: STALE_AFTER_MS,
          // A clock that jumped, or a folder that went: the files themselves are not touched by that.
          onCompromised: () => this.#options.log.warn('lock on transcripts lost'),
        });
      } catch (error) {
        const isHeld = error instanceof Error && 'code' in error && error.code === 'ELOCKED';
        if (!isHeld) throw error;
        await pause(LOCK_RETRY_MS, undefined, { signal: this.#closing.signal, ref: false });
      }
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
