import { describe, expect, it, vi } from 'vitest';
import { inFirstLives, Watched } from '../testing/watched-pool.js';

describe('RecogniserPool with a standby', () => {
  const childrenUp = (watched: Watched, count: number): Promise<void> =>
    vi.waitFor(() => expect(watched.readies.length).toBe(count), { timeout: 20_000 });

  it('goes on in it when a child is killed, before the next one is up, and loses nothing', async () => {
    // Whatever is started third never comes.
    const watched = new Watched(
      {
        kind: 'die_while_decoding',
        afterChunks: 1_000_000,
        lives: await inFirstLives(2),
        then: { kind: 'never_ready' },
      },
      { hasStandby: true },
    );
    await watched.pool.start();
    await childrenUp(watched, 2);
    const talks = [10, 20].map((first) => watched.say([first, first + 1]));
    await Promise.all(talks.map((talk, index) => talk.waitFor([10 * index + 10, 10 * index + 11])));
    expect(new Set(watched.calls)).toEqual(new Set([0]));
    process.kill(watched.pool.childPids[0]!, 'SIGKILL');
    await vi.waitFor(() => expect(watched.downs).toHaveLength(1));
    talks.forEach((talk, index) => talk.say([10 * index + 12]));
    await Promise.all(talks.map((talk, i) => talk.finish([0, 1, 2].map((word) => 10 * i + 10 + word))));
    expect(new Set(watched.calls)).toEqual(new Set([0, 1]));
    expect(watched.readies).toEqual([0, 1]);
  });

  it('makes of the child that died the next standby', async () => {
    const watched = new Watched({ kind: 'none' }, { hasStandby: true });
    await watched.pool.start();
    const talk = watched.say([1]);
    await talk.waitFor([1]);
    for (let kill = 1; kill <= 3; kill++) {
      await childrenUp(watched, kill + 1);
      process.kill(watched.pool.childPids[0]!, 'SIGKILL');
      await vi.waitFor(() => expect(watched.downs).toHaveLength(kill));
      talk.say([kill + 1]);
      await talk.waitFor(Array.from({ length: kill + 1 }, (_, index) => index + 1));
    }
    await talk.finish([1, 2, 3, 4]);
    await childrenUp(watched, 5);
    expect(watched.readies).toEqual([0, 1, 0, 1, 0]);
    expect(watched.pool.childPids).toHaveLength(2);
  });

  it('is not disturbed when the standby dies', async () => {
    const watched = new Watched({ kind: 'none' }, { hasStandby: true });
    await watched.pool.start();
    await childrenUp(watched, 2);
    const talk = watched.say([1]);
    await talk.waitFor([1]);
    process.kill(watched.pool.childPids[1]!, 'SIGKILL');
    await childrenUp(watched, 3);
    talk.say([2]);
    await talk.finish([1, 2]);
    expect(watched.healths).toEqual([]);
    expect(new Set(watched.calls)).toEqual(new Set([0]));
  });
});

describe('RecogniserPool that is behind', () => {
  it('is helped by its standby, which stands by again when it is calm: nothing is lost', async () => {
    const watched = new Watched(
      { kind: 'slow_decode', chunkMs: 40 },
      { hasStandby: true, maxChildren: 2, sizing: { settlingMs: 100, keptWhileCalmMs: 300 } },
    );
    await watched.pool.start();
    await vi.waitFor(() => expect(watched.readies).toEqual([0, 1]), { timeout: 20_000 });
    const pids = [...watched.pool.childPids];
    const talks = [100, 200, 300, 400].map((first) => watched.say([first + 1]));
    let count = 1;
    await vi.waitFor(
      () => {
        count += 1;
        talks.forEach((talk, index) => talk.say([100 * index + 100 + count]));
        expect(watched.calls).toContain(1);
      },
      { timeout: 20_000 },
    );
    expect(watched.pool.workingChildren).toBe(2);
    const words = Array.from({ length: count }, (_, index) => index + 1);
    await Promise.all(talks.map((talk, index) => talk.finish(words.map((word) => 100 * index + 100 + word))));
    await vi.waitFor(() => expect(watched.pool.workingChildren).toBe(1), { timeout: 20_000 });
    expect(watched.pool.childPids).toEqual(pids);
    expect(watched.downs).toEqual([]);
  });
});
