import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { isRunning } from '../../../asr/testing/processes.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import { describeWithLiveKit, startTestLiveKit } from '../testing/livekit-server.js';
import { LOOPBACK, socketsOf, UNCONNECTED } from '../testing/process-sockets.js';
import { freePorts } from './free-ports.js';
import { startLiveKitServer } from './livekit-server-process.js';

const key = { apiKey: 'devkey', apiSecret: 'a secret of tests, of at least 32 characters' };
const BUILT = new URL('../../../dist/gateway/livekit/server/livekit-server-process.js', import.meta.url);
const afterThis = cleanupsAfterEach();

describeWithLiveKit('livekit-server as a child process', (binary) => {
  it('answers its API on the ports it was given', async () => {
    const address = await freePorts();
    const server = await startLiveKitServer({ binary, key, address });
    afterThis(() => server.stop());
    expect(server.httpUrl).toBe(`http://127.0.0.1:${address.port}`);
    const rooms = new RoomServiceClient(server.httpUrl, key.apiKey, key.apiSecret);
    await rooms.createRoom({ name: 'one' });
    expect((await rooms.listRooms()).map(({ name }) => name)).toEqual(['one']);
  });

  it.runIf(existsSync('/proc/net/tcp'))('has sockets on loopback and no others', async () => {
    const server = await startLiveKitServer({ binary, key });
    afterThis(() => server.stop());
    const sockets = socketsOf(server.pid);
    const bound = sockets.filter(({ remote }) => UNCONNECTED.test(remote));
    expect(bound.map(({ protocol }) => protocol).sort()).toEqual(['tcp', 'udp']);
    for (const socket of sockets) expect(socket.local).toMatch(LOOPBACK);
  });

  it('keeps to its ports over a restart, with no rooms left', async () => {
    const server = await startTestLiveKit();
    afterThis(() => server.stop());
    const rooms = new RoomServiceClient(server.httpUrl, server.apiKey, server.apiSecret);
    await rooms.createRoom({ name: 'before' });
    const firstPid = server.pid;
    await server.restart();
    expect(isRunning(firstPid)).toBe(false);
    expect(await rooms.listRooms()).toEqual([]);
  });

  it('tells the end of its log when its configuration is wrong', async () => {
    const started = startLiveKitServer({ binary, key, sections: { rtc: { no_such_setting: 1 } } });
    await expect(started).rejects.toMatchObject({
      code: 'livekit_server_failed',
      message: expect.stringContaining('no_such_setting') as string,
    });
  });

  it('fails when its port is taken, though somebody answers there', async () => {
    const first = await startLiveKitServer({ binary, key });
    afterThis(() => first.stop());
    const started = startLiveKitServer({ binary, key, address: first.address });
    await expect(started).rejects.toMatchObject({ code: 'livekit_server_failed' });
    expect(isRunning(first.pid)).toBe(true);
  });

  it('stops as often as asked, and tells its end', async () => {
    const server = await startLiveKitServer({ binary, key });
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(isRunning(server.pid)).toBe(false);
    expect(await server.exited).toMatchObject({
      signal: null,
      log: expect.stringContaining('shutting down') as string,
    });
  });

  it('does not outlive a parent that is killed', async () => {
    const program = `
      import { startLiveKitServer } from ${JSON.stringify(BUILT.href)};
      const server = await startLiveKitServer(${JSON.stringify({ binary, key })});
      process.stdout.write(String(server.pid) + '\\n');`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    afterThis(() => void parent.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil(() => (isRunning(pid) ? 'the server still runs' : undefined));
  });
});

describe('a livekit-server that does not work', () => {
  const scratch = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'livekit-server-'));
    afterThis(() => rmSync(folder, { recursive: true }));
    return folder;
  };
  /** It is given no environment. */
  const script = (body: string): string => {
    const path = join(scratch(), 'server');
    writeFileSync(path, `#!/bin/sh\nPATH=${process.env['PATH']}\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('is told apart when it cannot be started', async () => {
    await expect(startLiveKitServer({ binary: join(scratch(), 'none'), key })).rejects.toMatchObject({
      code: 'livekit_server_failed',
      message: expect.stringContaining('ENOENT') as string,
    });
  });

  it('is told apart when it ends at once, with what it wrote', async () => {
    const binary = script('echo "no such luck" >&2; exit 3');
    await expect(startLiveKitServer({ binary, key })).rejects.toMatchObject({
      code: 'livekit_server_failed',
      message: expect.stringMatching(/exit code 3.*no such luck/s) as string,
    });
  });

  it('is not waited for once the caller gave up, and does not stay', async () => {
    const pidFile = join(scratch(), 'pid');
    const binary = script(`echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 60`);
    const giveUp = new AbortController();
    const started = startLiveKitServer({ binary, key, signal: giveUp.signal });
    await waitUntil(() => (existsSync(pidFile) ? undefined : 'it has not begun'));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    giveUp.abort(new Error('enough'));
    await expect(started).rejects.toThrow('enough');
    expect(isRunning(pid)).toBe(false);
  });

  it('does not pass for one when somebody else answers on its port', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    afterThis(() => void other.close());
    const bound = other.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const binary = script('exit 1');
    await expect(startLiveKitServer({ binary, key, address: { port, udpPort: port } })).rejects.toMatchObject(
      { code: 'livekit_server_failed' },
    );
  });
});
