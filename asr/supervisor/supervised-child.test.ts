import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CaptionError } from '../../protocol/index.js';
import { CHILD_EXIT, type FromChild } from '../child/messages.js';
import { scratchDirs } from '../models/testing/scratch-dir.js';
import {
  misbehave,
  type Misbehaviour,
  MISBEHAVING_CHILD,
  OUTDATED_CHILD,
  SILENT_CHILD,
} from '../testing/misbehaviour.js';
import { isRunning } from '../testing/processes.js';
import { type ChildDown, SupervisedChild, type SupervisedChildOptions } from './supervised-child.js';

const newDir = scratchDirs();
const openChildren: Watched[] = [];

/** A child and all that it reported. */
class Watched {
  readonly downs: ChildDown[] = [];
  readonly failures: CaptionError[] = [];
  readonly messages: FromChild[] = [];
  readonly pids: number[] = [];
  readies = 0;
  readonly child: SupervisedChild;

  constructor(misbehaviour: Misbehaviour, options: Partial<SupervisedChildOptions> = {}) {
    this.child = new SupervisedChild(
      {
        entry: MISBEHAVING_CHILD,
        recogniser: misbehave(misbehaviour),
        backoff: { firstDelayMs: 5, maxDelayMs: 20, healthyAfterMs: 30_000 },
        ...options,
      },
      {
        ready: () => {
          this.readies += 1;
          this.#notePid();
        },
        message: (message) => this.messages.push(message),
        down: (info) => this.downs.push(info),
        failed: (error) => this.failures.push(error),
      },
    );
    openChildren.push(this);
    this.child.start();
    this.#notePid();
  }

  #notePid(): void {
    if (this.child.pid !== undefined) this.pids.push(this.child.pid);
  }

  waitUntilReady(times = 1): Promise<void> {
    return vi.waitFor(() => expect(this.readies).toBeGreaterThanOrEqual(times), { timeout: 20_000 });
  }

  waitUntilDown(times = 1): Promise<void> {
    return vi.waitFor(() => expect(this.downs.length).toBeGreaterThanOrEqual(times), { timeout: 20_000 });
  }

  waitUntilFailed(): Promise<void> {
    return vi.waitFor(() => expect(this.failures).toHaveLength(1), { timeout: 20_000 });
  }
}

const inFirstLife = async (): Promise<{ file: string; count: number }> => ({
  file: join(await newDir(), 'lives'),
  count: 1,
});

afterEach(async () => {
  for (const { child, pids } of openChildren.splice(0)) {
    await child.close();
    expect(child.state).toBe('closed');
    expect(child.pid).toBeUndefined();
    expect(pids.filter(isRunning)).toEqual([]);
  }
});

const anyOtherExit = [CHILD_EXIT.asked, CHILD_EXIT.orphaned, CHILD_EXIT.internalError, 255];

describe('SupervisedChild', () => {
  it('brings a child up, talks with it and ends it', async () => {
    const watched = new Watched({ kind: 'none' });
    expect(watched.child.state).toBe('starting');
    expect(watched.child.send({ kind: 'open', utterance: 1, firstSample: 0 })).toBe(false);
    await watched.waitUntilReady();
    expect(watched.child.send({ kind: 'open', utterance: 1, firstSample: 0 })).toBe(true);
    watched.child.send({ kind: 'finish', utterance: 1 });
    await vi.waitFor(() =>
      expect(watched.messages).toMatchObject([{ kind: 'decoded', pieces: [{ isFinal: true }] }]),
    );
    await watched.child.close();
    expect(watched.downs).toEqual([]);
    expect(watched.child.send({ kind: 'finish', utterance: 1 })).toBe(false);
  });

  it('may be started and closed more than once, but not started after it was closed', async () => {
    const watched = new Watched({ kind: 'none' });
    watched.child.start();
    await watched.waitUntilReady();
    expect(watched.child.close()).toBe(watched.child.close());
    await watched.child.close();
    watched.child.start();
    expect(watched.child.state).toBe('closed');
  });

  it.each(anyOtherExit)('starts a child again that exits with %i before it is ready', async (code) => {
    const watched = new Watched({ kind: 'exit_before_ready', code, lives: await inFirstLife() });
    await watched.waitUntilReady();
    expect(watched.downs).toMatchObject([
      { cause: 'exit', exitCode: code, signal: null, stderr: 'the reason', restartInMs: 0 },
    ]);
    expect(watched.child.failuresInARow).toBe(1);
  });

  it.each(anyOtherExit)('starts a child again that exits with %i after it was ready', async (code) => {
    const watched = new Watched({ kind: 'exit_after_ready', code, lives: await inFirstLife() });
    await watched.waitUntilReady(2);
    expect(watched.downs).toMatchObject([{ cause: 'exit', exitCode: code, stderr: 'the reason' }]);
  });

  it.each(['exit_before_ready', 'exit_after_ready'] as const)(
    'does not start a child again that refuses its model (%s)',
    async (kind) => {
      const watched = new Watched({ kind, code: CHILD_EXIT.configurationRefused });
      await watched.waitUntilFailed();
      expect(watched.failures[0]).toMatchObject({ code: 'recogniser_refused', retryable: false });
      expect(watched.failures[0]?.message).toContain('the reason');
      expect(watched.child.state).toBe('failed');
      expect(watched.downs).toEqual([]);
    },
  );

  it.each(['exit_before_ready', 'exit_after_ready'] as const)(
    'does not start a child again that finds itself to be of another version (%s)',
    async (kind) => {
      const watched = new Watched({ kind, code: CHILD_EXIT.versionMismatch });
      await watched.waitUntilFailed();
      expect(watched.failures[0]).toMatchObject({ code: 'recogniser_version_mismatch', retryable: false });
      expect(watched.child.state).toBe('failed');
    },
  );

  it('refuses a child that says hello in another version', async () => {
    const watched = new Watched({ kind: 'none' }, { entry: OUTDATED_CHILD });
    await watched.waitUntilFailed();
    expect(watched.failures[0]?.code).toBe('recogniser_version_mismatch');
    expect(watched.pids.filter(isRunning)).toEqual([]);
  });

  it('kills a child that never says hello', async () => {
    const watched = new Watched(
      { kind: 'none' },
      { entry: SILENT_CHILD, readyDeadlineMs: 300, shutdownDeadlineMs: 50 },
    );
    await watched.waitUntilDown(2);
    expect(watched.downs[0]).toMatchObject({ cause: 'not_ready', signal: 'SIGKILL' });
  });

  it('kills a child that never becomes ready, and takes the next one that does', async () => {
    const lives = await inFirstLife();
    const watched = new Watched({ kind: 'never_ready', lives }, { readyDeadlineMs: 1500 });
    await watched.waitUntilReady();
    expect(watched.downs[0]).toMatchObject({ cause: 'not_ready', signal: 'SIGKILL' });
  });

  it('kills a child whose heart stops beating', async () => {
    const watched = new Watched(
      { kind: 'hang', lives: await inFirstLife() },
      { heartbeatIntervalMs: 30, heartbeatTimeoutMs: 400 },
    );
    await watched.waitUntilDown();
    expect(watched.downs[0]).toMatchObject({ cause: 'hung', signal: 'SIGKILL' });
    await watched.waitUntilReady(2);
  });

  it('kills a child that floods its parent, and does not hold that against the next one', async () => {
    const watched = new Watched(
      { kind: 'flood_messages', lives: await inFirstLife() },
      { maxMessagesPerInterval: 2000, heartbeatIntervalMs: 60_000 },
    );
    await watched.waitUntilReady(2);
    expect(watched.downs).toMatchObject([{ cause: 'flood', signal: 'SIGKILL' }]);
    expect(watched.child.state).toBe('ready');
  });

  it('bears a child that floods standard error, and keeps the end of it', async () => {
    const watched = new Watched({ kind: 'flood_stderr' }, { heartbeatIntervalMs: 20 });
    await watched.waitUntilReady();
    watched.child.send({ kind: 'open', utterance: 1, firstSample: 0 });
    watched.child.send({ kind: 'finish', utterance: 1 });
    await vi.waitFor(() => expect(watched.messages).toHaveLength(1), { timeout: 20_000 });
    watched.child.restart();
    await watched.waitUntilDown();
    expect(watched.downs[0]?.stderr).toContain('noise noise');
    expect(watched.downs[0]?.stderr.length).toBeLessThanOrEqual(4000);
  });

  it.each(['say_null', 'say_number', 'say_nonsense', 'say_hello_again'] as const)(
    'kills a child that breaks the contract (%s)',
    async (kind) => {
      const watched = new Watched({ kind, lives: await inFirstLife() });
      await watched.waitUntilReady(2);
      expect(watched.downs).toMatchObject([{ cause: 'protocol_violation', signal: 'SIGKILL' }]);
    },
  );

  it('restarts a child on request, as after a crash', async () => {
    const watched = new Watched({ kind: 'none' });
    await watched.waitUntilReady();
    watched.child.restart();
    await watched.waitUntilReady(2);
    expect(watched.downs).toMatchObject([{ cause: 'hung' }]);
  });

  it('waits longer before each further restart', async () => {
    const watched = new Watched(
      { kind: 'exit_before_ready', code: 1 },
      { backoff: { firstDelayMs: 2, maxDelayMs: 6, healthyAfterMs: 30_000 } },
    );
    await watched.waitUntilDown(5);
    expect(watched.downs.slice(0, 5).map(({ restartInMs }) => restartInMs)).toEqual([0, 2, 4, 6, 6]);
  });

  it('counts a child that ran for long as healthy: the next restart is at once again', async () => {
    const watched = new Watched(
      { kind: 'none' },
      { backoff: { firstDelayMs: 2, maxDelayMs: 6, healthyAfterMs: 0 } },
    );
    for (let life = 1; life <= 3; life++) {
      await watched.waitUntilReady(life);
      watched.child.restart();
      await watched.waitUntilDown(life);
    }
    expect(watched.downs.map(({ restartInMs }) => restartInMs)).toEqual([0, 0, 0]);
  });

  it('fails like a crash when the entry file is missing, and says why', async () => {
    const watched = new Watched({ kind: 'none' }, { entry: join(await newDir(), 'missing.js') });
    await watched.waitUntilDown();
    expect(watched.downs[0]).toMatchObject({ cause: 'exit', exitCode: 1 });
    expect(watched.downs[0]?.stderr).toContain('missing.js');
  });
});

describe('SupervisedChild.close', () => {
  it('kills a child that does not end when it is asked to', async () => {
    const watched = new Watched({ kind: 'ignore_shutdown' }, { shutdownDeadlineMs: 50 });
    await watched.waitUntilReady();
    await watched.child.close();
    expect(watched.pids.filter(isRunning)).toEqual([]);
  });

  it('kills a child that hangs', async () => {
    const watched = new Watched({ kind: 'hang' }, { shutdownDeadlineMs: 50 });
    await watched.waitUntilReady();
    await watched.child.close();
    expect(watched.pids.filter(isRunning)).toEqual([]);
  });

  it('ends a child that becomes ready while it is closed, and starts no other', async () => {
    const lives = await inFirstLife();
    const watched = new Watched({ kind: 'slow_ready', forMs: 300, lives });
    await vi.waitFor(async () => expect(await readFile(lives.file, 'utf8')).toBe('.'), { timeout: 20_000 });
    await watched.child.close();
    expect(watched.child.state).toBe('closed');
    expect(watched.readies).toBe(0);
    expect(watched.downs).toEqual([]);
  });

  it('starts no other child while it waits for its restart', async () => {
    const watched = new Watched(
      { kind: 'exit_before_ready', code: 1 },
      { backoff: { firstDelayMs: 60_000, maxDelayMs: 60_000, healthyAfterMs: 30_000 } },
    );
    await watched.waitUntilDown(2);
    expect(watched.child.state).toBe('waiting');
    await watched.child.close();
    expect(watched.child.state).toBe('closed');
  });
});
