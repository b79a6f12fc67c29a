import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const BUILT = new URL('../../dist/gateway/livekit/prepare-sdk.js', import.meta.url);

/** Runs `program` in a process of its own, where `Room`, `dispose` and `prepareSdk` are there to be used. */
const run = (program: string): { stdout: string; stderr: string } =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { dispose, Room } from '@livekit/rtc-node';
       import { prepareSdk } from ${JSON.stringify(BUILT.href)};
       ${program}
       await dispose();`,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_ENV: '', RUST_LOG: undefined } },
  );

it('keeps the log of the SDK out of standard output', () => {
  const strangeStream = `
    const room = new Room();
    room.unregisterTextStreamHandler('none');
    room.handleTextStreamOpened({ info: { topic: 'unknown' }, handle: { id: 0n } }, 'somebody');`;
  expect(run(strangeStream).stdout).toContain('lk-rtc');
  expect(run(`prepareSdk(); prepareSdk(); ${strangeStream}`).stdout).toBe('');
});

it('has no line of the native libraries come as an event', () => {
  const vainAttempts = `
    const connect = () => new Room().connect('ws://127.0.0.1:1', 'no token').then(() => 'connected', () => 'refused');
    await connect();
    let lines = 0;
    globalThis._ffiClientInstance.on('ffi_event', ({ message }) => (lines += message.case === 'logs' ? 1 : 0));
    const outcome = await connect();
    console.log(JSON.stringify({ outcome, lines }));`;
  const lastLine = (text: string): unknown => JSON.parse(text.trim().split('\n').at(-1) ?? '');
  const loud = lastLine(run(vainAttempts).stdout);
  expect(loud).toMatchObject({ outcome: 'refused' });
  expect(loud).not.toMatchObject({ lines: 0 });
  const quiet = run(`prepareSdk(); ${vainAttempts}`);
  expect(lastLine(quiet.stdout)).toEqual({ outcome: 'refused', lines: 0 });
  // Nor are they written among the gateway's own.
  expect(quiet.stderr).toBe('');
});
