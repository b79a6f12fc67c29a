/** The program itself, in a process of its own, as a user starts it: to be stopped and killed. Built before the tests are run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../../testing/wait-until.js';
import type { TestLiveKit } from './livekit-server.js';

const ENTRY = fileURLToPath(new URL('../../../dist/gateway/main.js', import.meta.url));

export interface GatewayProgram {
  readonly child: ChildProcess;
  /** Log and errors so far. */
  readonly output: () => string;
  readonly stdout: () => string;
  /** Resolves with the exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGKILL to it and, as an out-of-memory killer would leave them to themselves, not to its children. Idempotent. */
  kill(): Promise<void>;
}

/** Without the settings of whoever runs the tests. */
export function startProgram(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): GatewayProgram {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('CAPTION_') && !name.startsWith('LIVEKIT_'),
    ),
  );
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    output: () => `${stdout}${stderr}`,
    stdout: () => stdout,
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export const environmentFor = (server: TestLiveKit): Record<string, string> => ({
  LIVEKIT_URL: server.url,
  LIVEKIT_API_KEY: server.apiKey,
  LIVEKIT_API_SECRET: server.apiSecret,
  CAPTION_PORT: '0',
  CAPTION_RECOGNISERS: '1',
});

/** `serve`, registered with `server`. */
export async function startServing(
  server: TestLiveKit,
  settings: Readonly<Record<string, string>> = {},
): Promise<GatewayProgram> {
  const program = startProgram(['serve'], { ...environmentFor(server), ...settings });
  await waitUntil(
    () =>
      program.output().includes('registered with LiveKit') ? undefined : `registered: ${program.output()}`,
    60_000,
  );
  return program;
}
