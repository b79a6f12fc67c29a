import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import { PRIVATE_FOLDERS } from './private-folders.js';

/** A gateway that was killed counts as alive for so long. */
const STALE_AFTER_MS = 10_000;
const RETRY_MS = 1000;
const GATEWAY_ID = /^[a-f0-9]{12}$/;

/**
 * Tells the gateways that share a folder of transcripts which of them are alive: a lock for each, `DIR/gateways/<id>`, kept
 * fresh while its process runs. `close` takes this one away.
 */
export class GatewayPresence {
  /** Stands in the first line of every meeting that this gateway writes; another one after every start. */
  readonly id = randomBytes(6).toString('hex');
  readonly #folder: string;
  readonly #log: Logger;
  #release: (() => Promise<void>) | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(dir: string, log: Logger) {
    this.#folder = join(dir, 'gateways');
    this.#log = log;
  }

  /** Throws CaptionError `transcript_dir_unusable`. */
  static async announce(dir: string, log: Logger): Promise<GatewayPresence> {
    const presence = new GatewayPresence(dir, log);
    try {
      await presence.#announce();
    } catch (error) {
      throw new CaptionError(
        'transcript_dir_unusable',
        `CAPTION_TRANSCRIPT_DIR ${dir} cannot hold locks: ${errorMessage(error)}`,
        { cause: error },
      );
    }
    return presence;
  }

  /** Whether the gateway of this id runs; it may be this one. */
  isAlive(id: string): Promise<boolean> {
    if (id === this.id) return Promise.resolve(true);
    if (!GATEWAY_ID.test(id)) return Promise.resolve(false);
    const path = join(this.#folder, id);
    return lockfile.check(path, { lockfilePath: path, realpath: false, stale: STALE_AFTER_MS });
  }

  /** Those that ended without saying so. */
  async dead(): Promise<string[]> {
    const dead: string[] = [];
    for (const id of await readdir(this.#folder)) {
      if (GATEWAY_ID.test(id) && !(await this.isAlive(id))) dead.push(id);
    }
    return dead;
  }

  /** What they left has been seen to. */
  async bury(ids: readonly string[]): Promise<void> {
    // One that comes to life again meanwhile makes itself a new one.
    for (const id of ids) await rmdir(join(this.#folder, id)).catch(() => undefined);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    const release = this.#release;
    this.#release = undefined;
    await release?.().catch(() => undefined);
  }

  async #announce(): Promise<void> {
    const path = join(this.#folder, this.id);
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#release = await lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      fs: PRIVATE_FOLDERS,
      stale: STALE_AFTER_MS,
      // The process stood still for too long, or the folder went: to the others this gateway was dead.
      onCompromised: (error) => {
        this.#log.warn({ error: error.message }, 'lock on transcripts lost');
        this.#announceAgain();
      },
    });
    if (this.#isClosed) await this.close();
  }

  #announceAgain(): void {
    if (this.#isClosed) return;
    this.#announce().catch((error: unknown) => {
      this.#log.error({ error: errorMessage(error) }, 'lock on transcripts not taken');
      this.#retryTimer = setTimeout(() => this.#announceAgain(), RETRY_MS);
      this.#retryTimer.unref();
    });
  }
}
