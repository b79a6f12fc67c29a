import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { DOOMED_PARENT, REAL_CHILD } from '../testing/misbehaviour.js';
import { isRunning } from '../testing/processes.js';
import { CHILD_EXIT, CHILD_PROTOCOL_VERSION, ORPHAN_TIMEOUT_MS } from './messages.js';

const forkChild = (): ChildProcess =>
  fork(REAL_CHILD, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, 'message')) as unknown[];
  return message;
}

describe.concurrent('a recogniser child', () => {
  it('says hello first, with its version', async () => {
    const child = forkChild();
    expect(await nextMessage(child)).toEqual({ kind: 'hello', version: CHILD_PROTOCOL_VERSION });
    child.send({ kind: 'shutdown' });
    expect(await once(child, 'exit')).toEqual([CHILD_EXIT.asked, null]);
  });

  it('exits with its own code when the parent is of another version', async () => {
    const child = forkChild();
    await nextMessage(child);
    child.send({
      kind: 'configure',
      version: CHILD_PROTOCOL_VERSION + 1,
      recogniser: {},
      decodeCallBudgetMs: 40,
    });
    expect(await once(child, 'exit')).toEqual([CHILD_EXIT.versionMismatch, null]);
  });

  it('ends by itself when its parent is killed', async () => {
    const parent = spawn(process.execPath, [DOOMED_PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [told] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(told.toString());
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 20_000 });
  });

  it('leaves SIGINT and SIGTERM to its parent', async () => {
    const child = forkChild();
    await nextMessage(child);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    child.send({ kind: 'ping', id: 3 });
    expect(await nextMessage(child)).toEqual({ kind: 'pong', id: 3 });
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([CHILD_EXIT.orphaned, null]);
  });

  it(
    'ends by itself when its parent is there but silent',
    async () => {
      const child = forkChild();
      expect(await once(child, 'exit')).toEqual([CHILD_EXIT.orphaned, null]);
    },
    3 * ORPHAN_TIMEOUT_MS,
  );
});
