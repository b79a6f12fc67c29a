import { spawn } from 'node:child_process';

const MAX_OUTPUT_CHARACTERS = 4000;

export interface RunOptions {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  /** Null when a signal ended it: ours at the deadline, or somebody's. */
  readonly exitCode: number | null;
  /** The end of what it wrote, to either output. */
  readonly output: string;
}

/** Runs a program to its end. Rejects when it cannot be started, and with the signal's reason once it is gone. */
export async function runProgram(
  program: string,
  programArguments: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const { signal } = options;
  signal?.throwIfAborted();
  const child = spawn(program, programArguments, {
    env: { ...options.variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a compiler's children end with it.
    detached: true,
  });
  let output = '';
  const append = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT_CHARACTERS);
  };
  child.stdout.on('data', append);
  child.stderr.on('data', append);
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  };
  const deadline = setTimeout(kill, options.deadlineMs);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    return { exitCode, output: output.trim() };
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', kill);
  }
}
