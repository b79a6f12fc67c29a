/**
 * livekit-server as a child process, for development, tests, demo and bench; never what a deployment runs.
 *
 *   start ──► answers on its port ──► running ──► stop(): SIGTERM (twice: the second does not wait for participants)
 *     │                                  │                 then SIGKILL ──► exited
 *     └─ exits, or says nothing: throws  └─ ends by itself ──► exited
 *
 * A shell that waits for the end of its input kills the server when this process dies, however it dies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionError } from '../../../protocol/index.js';
import { freePorts } from './free-ports.js';
import {
  type LiveKitServerAddress,
  type LiveKitServerKey,
  type LiveKitServerSections,
  loopbackConfig,
} from './livekit-server-config.js';

const READY_DEADLINE_MS = 20_000;
const POLL_EVERY_MS = 25;
const POLL_TIMEOUT_MS = 1000;
/** livekit-server ends in some 100 ms once it may. */
const STOP_DEADLINE_MS = 3000;
const MAX_LOG_CHARACTERS = 4000;
/** Its input ends when its parent does. */
const GUARD = 'trap "" INT TERM HUP; while read -r _; do :; done; kill -KILL "$0"';

export interface LiveKitServerOptions {
  /** As from `findLiveKitServer`. */
  readonly binary: string;
  readonly key: LiveKitServerKey;
  /** Default: free ones. */
  readonly address?: LiveKitServerAddress | undefined;
  /** Added to the configuration that keeps it on loopback. */
  readonly sections?: LiveKitServerSections | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LiveKitServerExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its log. */
  readonly log: string;
}

export interface LiveKitServerProcess {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  /** `http://127.0.0.1:…`, for its API. */
  readonly httpUrl: string;
  readonly address: LiveKitServerAddress;
  readonly pid: number;
  /** Resolves when the process is gone, by `stop` or by itself. Never rejects. */
  readonly exited: Promise<LiveKitServerExit>;
  /** Ends it, with whoever is still in its rooms. Idempotent; resolves when the process is gone. */
  stop(): Promise<void>;
  /** As a crash would end it. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/**
 * Starts livekit-server on 127.0.0.1 and resolves when it answers. Whoever starts it stops it. Throws CaptionError
 * `livekit_server_failed` with the end of its log, and the signal's reason.
 */
export async function startLiveKitServer(options: LiveKitServerOptions): Promise<LiveKitServerProcess> {
  const address = options.address ?? (await freePorts());
  options.signal?.throwIfAborted();
  const child = new LiveKitServerChild(options, address);
  try {
    await child.answers(options.signal);
    return child;
  } catch (error) {
    await child.kill();
    throw error;
  }
}

class LiveKitServerChild implements LiveKitServerProcess {
  readonly url: string;
  readonly httpUrl: string;
  readonly address: LiveKitServerAddress;
  readonly exited: Promise<LiveKitServerExit>;
  readonly #process: ChildProcess;
  readonly #binary: string;
  #guard: ChildProcess | undefined;
  #exit: LiveKitServerExit | undefined;
  #log = '';
  #stopping: Promise<void> | undefined;

  constructor(options: LiveKitServerOptions, address: LiveKitServerAddress) {
    this.address = address;
    this.url = `ws://127.0.0.1:${address.port}`;
    this.httpUrl = `http://127.0.0.1:${address.port}`;
    this.#binary = options.binary;
    const child = spawn(options.binary, [], {
      // Nothing else of the environment: LIVEKIT_KEYS and the like would change its configuration.
      env: { LIVEKIT_CONFIG: loopbackConfig(address, options.key, options.sections) },
      // Ctrl-C is for its owner, who stops it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const output of [child.stdout, child.stderr])
      output.on('data', (chunk: Buffer) => this.#append(chunk.toString('utf8')));
    this.exited = new Promise((resolve) => {
      const ended = (exitCode: number | null, signal: NodeJS.Signals | null): void => {
        this.#guard?.kill('SIGKILL');
        this.#exit ??= { exitCode, signal, log: this.#log.trim() };
        resolve(this.#exit);
      };
      child.on('error', (error) => {
        this.#append(`${error.message}\n`);
        // A process that could not be made never reports its end.
        if (child.pid === undefined) ended(null, null);
      });
      child.once('exit', () => this.#guard?.kill('SIGKILL'));
      // After 'exit', when its log has been read to its end.
      child.once('close', ended);
    });
    if (child.pid !== undefined) this.#guard = startGuard(child.pid);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async answers(signal: AbortSignal | undefined): Promise<void> {
    const givesUpAtMs = performance.now() + READY_DEADLINE_MS;
    while (!(await this.#isAnswering())) {
      signal?.throwIfAborted();
      if (this.#exit !== undefined) throw this.#failure(`ended (${describeExit(this.#exit)})`);
      if (performance.now() > givesUpAtMs) {
        throw this.#failure(`did not answer on ${this.httpUrl} within ${READY_DEADLINE_MS / 1000} s`);
      }
      await delay(POLL_EVERY_MS);
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  async #stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    // Signals that come together are one: the second waits until the first must have been read.
    const force = setTimeout(() => this.#process.kill('SIGTERM'), 100);
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.exited;
    clearTimeout(force);
    clearTimeout(kill);
  }

  /** Its own log must say so too: somebody else may answer on a port that it cannot have. */
  async #isAnswering(): Promise<boolean> {
    if (!this.#log.includes('starting LiveKit server') || this.#exit !== undefined) return false;
    try {
      const response = await fetch(this.httpUrl, { signal: AbortSignal.timeout(POLL_TIMEOUT_MS) });
      return (await response.text()) === 'OK';
    } catch {
      return false;
    }
  }

  #append(text: string): void {
    this.#log = (this.#log + text).slice(-MAX_LOG_CHARACTERS);
  }

  #failure(what: string): CaptionError {
    const log = this.#log.trim();
    return new CaptionError(
      'livekit_server_failed',
      `${this.#binary} ${what}. ${log === '' ? 'It wrote nothing.' : `The end of its log:\n${log}`}`,
    );
  }
}

function startGuard(pid: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD, String(pid)], {
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the server only outlives a parent that is killed; no reason not to run it.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return guard;
}

const describeExit = ({ exitCode, signal }: LiveKitServerExit): string =>
  signal === null ? `exit code ${exitCode ?? 'unknown'}` : `by ${signal}`;
