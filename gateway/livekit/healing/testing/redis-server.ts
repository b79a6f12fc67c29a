/** Tests with a real Redis on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { freePort } from '../../server/free-ports.js';

const binary = findOnPath('redis-server');
const READY_DEADLINE_MS = 20_000;

/** Runs `tests` with a redis-server. Without one they are skipped, and told so; in CI (`CI` is set) they fail. */
export function describeWithRedis(title: string, tests: () => void): void {
  if (binary !== undefined) {
    describe(title, tests);
    return;
  }
  const reason = 'SKIPPED: no redis-server on PATH (Debian and Ubuntu: package redis-server)';
  it(title, (context) => {
    if (process.env['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}

export interface TestRedis {
  /** `redis://127.0.0.1:…` */
  readonly url: string;
  /** `127.0.0.1:…` */
  readonly address: string;
  /** Ends as a crash would, with all it knew. */
  kill(): Promise<void>;
  /** A new one on the same port, empty. */
  start(): Promise<void>;
  /** SIGSTOP: connected, and silent. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Starts redis-server on a free port of 127.0.0.1, without anything on disk. Whoever calls it stops it. */
export async function startTestRedis(): Promise<TestRedis> {
  const port = await freePort();
  let child = await start(port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    address: `127.0.0.1:${port}`,
    kill,
    stop: kill,
    start: async () => {
      child = await start(port);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

async function start(port: number): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(binary ?? '', options, { stdio: 'ignore' });
  const givesUpAtMs = performance.now() + READY_DEADLINE_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > givesUpAtMs) {
      child.kill('SIGKILL');
      throw new Error(`redis-server does not listen on port ${port}`);
    }
    await delay(20);
  }
  return child;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

function findOnPath(name: string): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
