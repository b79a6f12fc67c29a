import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RoomServiceClient } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../livekit/server/free-ports.js';
import { describeWithLiveKit } from '../livekit/testing/livekit-server.js';
import { cleanupsAfterEach } from '../testing/cleanups.js';
import { waitFor } from '../testing/wait-until.js';

const ENTRY = fileURLToPath(new URL('../../dist/gateway/main.js', import.meta.url));
const afterThis = cleanupsAfterEach();

interface Running {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exitCode: Promise<number | null>;
}

/** `caption-gateway livekit`, as a user starts it. */
function start(args: readonly string[], variables: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [ENTRY, 'livekit', ...args], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  afterThis(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return { child, output, exitCode: once(child, 'close').then(([code]) => code as number | null) };
}

describeWithLiveKit('caption-gateway livekit', (binary) => {
  const variables = { LIVEKIT_SERVER_BIN: binary };

  it('runs a server that takes what it prints, until it is interrupted', async () => {
    const { port, udpPort } = await freePorts();
    const { child, output, exitCode } = start(
      ['--port', String(port), '--udp-port', String(udpPort)],
      variables,
    );
    const [, url, apiKey, apiSecret] = await waitFor(
      'the lines to copy',
      () =>
        /^export LIVEKIT_URL=(\S+)\nexport LIVEKIT_API_KEY=(\S+)\nexport LIVEKIT_API_SECRET=(\S+)\n$/.exec(
          output.stdout,
        ) ?? undefined,
    );
    expect(url).toBe(`ws://127.0.0.1:${port}`);
    const rooms = new RoomServiceClient(url!.replace('ws', 'http'), apiKey, apiSecret);
    expect(await rooms.listRooms()).toEqual([]);
    child.kill('SIGINT');
    expect(await exitCode).toBe(0);
    await expect(rooms.listRooms()).rejects.toThrow();
  });

  it('says where the program is, and ends', async () => {
    const { output, exitCode } = start(['--print-binary'], variables);
    expect(await exitCode).toBe(0);
    expect(output.stdout).toBe(`${binary}\n`);
  });

  it('fails with the server’s log when its port is taken', async () => {
    const { port, udpPort } = await freePorts();
    const ports = ['--port', String(port), '--udp-port', String(udpPort)];
    const first = start(ports, variables);
    await waitFor('the first to run', () => (first.output.stdout === '' ? undefined : true));
    const second = start(ports, variables);
    expect(await second.exitCode).toBe(1);
    expect(second.output.stdout).toBe('');
    expect(second.output.stderr).toMatch(/livekit_server_failed: .*address already in use/s);
    first.child.kill('SIGTERM');
    expect(await first.exitCode).toBe(0);
  });
});

describe('caption-gateway livekit without a server', () => {
  it('names the ways to get one', async () => {
    const { output, exitCode } = start([], { LIVEKIT_SERVER_BIN: '/no/such/server' });
    expect(await exitCode).toBe(1);
    expect(output).toMatchObject({ stdout: '', stderr: expect.stringContaining('go install') as string });
  });

  it('refuses what is no port', async () => {
    const { output, exitCode } = start(['--port', '70000']);
    expect(await exitCode).toBe(2);
    expect(output.stderr).toContain('usage_port');
  });
});
