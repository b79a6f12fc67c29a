/** The process of another system: started, waited for, measured, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CaptionError } from '../../protocol/index.js';
import { environmentWith } from '../../gateway/index.js';
import { type ProcessUsage, usageOfTree } from '../process-usage.js';
import { endProgram } from '../started-program.js';

const READY_DEADLINE_MS = 90_000;
const KEPT_LOG_CHARACTERS = 4000;

export type PeerName = 'sherpa' | 'sherpa-websocket' | 'livekit-agents';

/** Of the sources, not of what is built: the peers' programs are no TypeScript. */
const peerFile = (peer: PeerName, path: string): string =>
  fileURLToPath(new URL(`../../../bench/peers/${peer}/${path}`, import.meta.url));

export const isInstalled = (peer: PeerName): boolean => existsSync(peerFile(peer, '.venv/bin/python'));

export interface PeerProcessOptions {
  readonly peer: PeerName;
  /** In the peer's virtual environment. */
  readonly program: string;
  /** A file beside the peer's package file that is given to the program first. */
  readonly script?: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of standard output and standard error. */
  readonly isReady: (line: string) => boolean;
  /** Each further line of both. */
  readonly told?: (line: string) => void;
}

export class PeerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Throws CaptionError `peer_not_installed` or `peer_not_started`, with the end of what it said. */
  static async start(options: PeerProcessOptions): Promise<PeerProcess> {
    const { peer } = options;
    if (!isInstalled(peer))
      throw new CaptionError('peer_not_installed', `${peer} is not installed: bench/peers/install ${peer}`);
    const script = options.script === undefined ? [] : [peerFile(peer, options.script)];
    const child = spawn(peerFile(peer, `.venv/bin/${options.program}`), [...script, ...options.args], {
      env: environmentWith({ PYTHONDONTWRITEBYTECODE: '1', ...options.environment }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const started = new PeerProcess(child);
    try {
      await untilReady(child, options);
      return started;
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  usage(): ProcessUsage {
    return usageOfTree(this.#child.pid ?? 0);
  }

  /** To its standard input; what it does not read waits in memory. */
  write(bytes: Uint8Array): void {
    this.#child.stdin?.write(bytes);
  }

  /** Idempotent. Resolves when it is gone. */
  close(): Promise<void> {
    return endProgram(this.#child);
  }
}

function untilReady(child: ChildProcess, { peer, isReady, told }: PeerProcessOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new CaptionError('peer_not_started', `${peer} ${why}: ${log}`));
    };
    const timer = setTimeout(
      () => fail(`was not ready within ${READY_DEADLINE_MS / 1000} s`),
      READY_DEADLINE_MS,
    );
    child.once('error', (error) => fail(error.message));
    child.once('exit', () => fail('ended'));
    // Its end is seen by whoever waits for what it was to say.
    child.stdin?.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log = `${log}${line}\n`.slice(-KEPT_LOG_CHARACTERS);
        if (isReady(line)) {
          clearTimeout(timer);
          resolve();
        } else told?.(line);
      });
    }
  });
}
