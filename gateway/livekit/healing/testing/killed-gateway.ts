/** Starts gateway-child.ts: a gateway that can be killed as kill -9 does. Runs the built file. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GatewayChildArguments } from './gateway-child.js';

const ENTRY = fileURLToPath(
  new URL('../../../../dist/gateway/livekit/healing/testing/gateway-child.js', import.meta.url),
);
const READY_DEADLINE_MS = 30_000;

export interface KillableGateway {
  /** SIGKILL. Idempotent; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: there, and silent. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

/** Resolves when it captions all of its rooms. */
export async function startKillableGateway(options: GatewayChildArguments): Promise<KillableGateway> {
  const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4000)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`gateway-child said nothing: ${stderr}`)),
      READY_DEADLINE_MS,
    );
    child.stdout.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
    void exited.then(() => reject(new Error(`gateway-child ended: ${stderr}`)));
  });
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}
