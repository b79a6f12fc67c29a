import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRunning } from '../../../asr/testing/processes.js';
import { cleanupsAfterEach } from '../../testing/cleanups.js';
import { waitUntil } from '../../testing/wait-until.js';
import {
  builtLiveKitServer,
  ensureLiveKitServer,
  findLiveKitServer,
  LIVEKIT_SERVER_IMAGE,
  type LiveKitServerPlaces,
} from './find-livekit-server.js';

const afterThis = cleanupsAfterEach();

/** A machine with nothing on it, in a folder of its own. */
function emptyMachine(): LiveKitServerPlaces & { readonly root: string; readonly bin: string } {
  const root = mkdtempSync(join(tmpdir(), 'find-livekit-'));
  afterThis(() => rmSync(root, { recursive: true }));
  const bin = join(root, 'bin');
  return {
    root,
    bin,
    configured: '',
    workingDir: root,
    cacheDir: join(root, 'cache'),
    // The tools that a fake Go is written with stay within reach.
    variables: { PATH: bin, REAL_PATH: process.env['PATH'] },
  };
}

function program(path: string, body = 'exit 0'): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nPATH=$REAL_PATH\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('finding livekit-server', () => {
  it('takes the configured one first, then PATH, then the one built before', async () => {
    const machine = emptyMachine();
    expect(await findLiveKitServer(machine)).toBeUndefined();
    const built = program(builtLiveKitServer(machine));
    expect(await findLiveKitServer(machine)).toBe(built);
    const onPath = program(join(machine.bin, 'livekit-server'));
    expect(await findLiveKitServer(machine)).toBe(onPath);
    const configured = program(join(machine.root, 'my-server'));
    expect(await findLiveKitServer({ ...machine, configured: 'my-server' })).toBe(configured);
  });

  it('keeps builds of different versions apart in the user’s cache', () => {
    const machine = emptyMachine();
    expect(builtLiveKitServer(machine)).toMatch(/\/cache\/caption-gateway\/bin\/livekit-server-v[0-9.]+$/);
  });

  it('passes over what is no program', async () => {
    const machine = emptyMachine();
    mkdirSync(join(machine.bin, 'livekit-server'), { recursive: true });
    const built = builtLiveKitServer(machine);
    mkdirSync(dirname(built), { recursive: true });
    writeFileSync(built, 'no program', { mode: 0o644 });
    expect(await findLiveKitServer(machine)).toBeUndefined();
  });

  it('refuses a configured one that is no program, whatever else there is', async () => {
    const machine = emptyMachine();
    program(join(machine.bin, 'livekit-server'));
    await expect(findLiveKitServer({ ...machine, configured: '/no/such/server' })).rejects.toMatchObject({
      code: 'livekit_server_missing',
      message: expect.stringContaining('/no/such/server') as string,
    });
  });
});

describe('building livekit-server', () => {
  it('has Go build the pinned version once', async () => {
    const machine = emptyMachine();
    program(
      join(machine.bin, 'go'),
      `echo "$@" >> ${machine.root}/calls; printf '#!/bin/sh\\n' > $GOBIN/server; chmod +x $GOBIN/server`,
    );
    const builds: string[] = [];
    const first = await ensureLiveKitServer({ ...machine, onBuild: (target) => builds.push(target) });
    expect(first).toBe(builtLiveKitServer(machine));
    expect(await ensureLiveKitServer({ ...machine, onBuild: (target) => builds.push(target) })).toBe(first);
    expect(builds).toEqual([first]);
    expect(readFileSync(join(machine.root, 'calls'), 'utf8')).toMatch(
      /^install github\.com\/livekit\/livekit-server\/cmd\/server@v[0-9.]+\n$/,
    );
    expect(readdirSync(dirname(first))).toEqual([first.split('/').at(-1)]);
  });

  it('names every way to get one when there is neither server nor Go', async () => {
    const missing = ensureLiveKitServer(emptyMachine());
    await expect(missing).rejects.toMatchObject({ code: 'livekit_server_missing' });
    for (const way of ['LIVEKIT_SERVER_BIN', 'PATH', 'go install', LIVEKIT_SERVER_IMAGE]) {
      await expect(missing).rejects.toThrow(way);
    }
  });

  it('tells what Go said when the build fails, and leaves nothing behind', async () => {
    const machine = emptyMachine();
    program(join(machine.bin, 'go'), 'echo "go.mod requires go >= 1.26" >&2; touch $GOBIN/half; exit 1');
    await expect(ensureLiveKitServer(machine)).rejects.toMatchObject({
      code: 'livekit_server_missing',
      message: expect.stringContaining('requires go >= 1.26') as string,
    });
    expect(readdirSync(dirname(builtLiveKitServer(machine)))).toEqual([]);
  });

  it('counts a build without a program as failed', async () => {
    const machine = emptyMachine();
    program(join(machine.bin, 'go'));
    await expect(ensureLiveKitServer(machine)).rejects.toMatchObject({ code: 'livekit_server_missing' });
  });

  it('ends the build and whatever it started when interrupted', async () => {
    const machine = emptyMachine();
    const pidFile = join(machine.root, 'pid');
    program(
      join(machine.bin, 'go'),
      `sleep 60 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`,
    );
    const interruption = new AbortController();
    const building = ensureLiveKitServer({ ...machine, signal: interruption.signal });
    await waitUntil(() => (existsSync(pidFile) ? undefined : 'the build has not begun'));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    interruption.abort(new Error('enough'));
    await expect(building).rejects.toThrow('enough');
    await waitUntil(() => (isRunning(pid) ? 'what the build started still runs' : undefined));
    expect(readdirSync(dirname(builtLiveKitServer(machine)))).toEqual([]);
  });
});
