/** The program itself, in a process of its own, as a user starts it. Built before the tests are run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../dist/gateway/main.js', import.meta.url));

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface EndedProgram {
  /** Null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  /** So far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when it has ended and everything it wrote has been read. */
  readonly ended: Promise<EndedProgram>;
  /** SIGKILL to it alone; resolves when it has ended. Idempotent. */
  kill(): Promise<void>;
}

/** Without the settings of whoever runs the tests. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): Program {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('CAPTION_') && !name.startsWith('LIVEKIT_'),
    ),
  );
  const child = spawn(process.execPath, [ENTRY, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // Nothing is left where the tests are run.
    env: { ...env, CAPTION_REPORT: 'memory', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
