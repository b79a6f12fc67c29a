import { describe, expect, it, vi } from 'vitest';
import { CHILD_EXIT } from '../child/messages.js';
import { FAKE_CHUNK_SAMPLES } from '../testing/fake-recogniser.js';
import { type Misbehaviour, MISBEHAVING_CHILD, OUTDATED_CHILD, POISON } from '../testing/misbehaviour.js';
import { inFirstLives, Talk, Watched } from '../testing/watched-pool.js';

describe('RecogniserPool', () => {
  it('recognises utterances spread over its children', async () => {
    const { pool, ...watched } = new Watched({ kind: 'none' }, { children: 2 });
    await pool.start();
    const talks = [1, 2, 3, 4].map((speaker) => new Talk(pool, speaker));
    talks.forEach((talk, index) => talk.say([index, index + 10]));
    expect(pool.openUtterances).toBe(4);
    await Promise.all(talks.map((talk, index) => talk.finish([index, index + 10])));
    expect(talks[2]?.told.at(-1)?.decodedThroughSample).toBe(3 + 2 * FAKE_CHUNK_SAMPLES);
    expect(pool.openUtterances).toBe(0);
    expect(watched.downs).toEqual([]);
  });

  it('takes utterances before the first child is ready', async () => {
    const watched = new Watched({ kind: 'none' });
    const talk = watched.say([1, 2]);
    await watched.pool.start();
    await talk.finish([1, 2]);
  });

  it('loses no word and doubles none when the child dies while it decodes', async () => {
    const watched = new Watched({ kind: 'die_while_decoding', afterChunks: 5, lives: await inFirstLives(2) });
    await watched.pool.start();
    const talks = [10, 20, 30].map((first) => watched.say([first, first + 1, first + 2, first + 3]));
    await Promise.all(talks.map((talk, i) => talk.finish([0, 1, 2, 3].map((word) => 10 * (i + 1) + word))));
    expect(watched.downs).toMatchObject([
      { cause: 'exit', signal: 'SIGKILL' },
      { cause: 'exit', signal: 'SIGKILL' },
    ]);
    for (const { told } of talks) {
      const lengths = told.map(({ committed }) => committed.length);
      expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    }
  });

  it('says that it is degraded after a crash, and live again when it has caught up', async () => {
    const watched = new Watched({ kind: 'die_while_decoding', afterChunks: 2, lives: await inFirstLives(1) });
    await watched.pool.start();
    const talk = watched.say([1, 2, 3, 4]);
    await talk.waitFor([1, 2, 3, 4]);
    await vi.waitFor(() => expect(watched.healths).toEqual(['degraded', 'live']));
    expect(watched.pool.health).toEqual({ state: 'live', reason: '' });
  });

  it.each<Misbehaviour['kind']>(['hang', 'flood_messages', 'say_null'])(
    'goes on with another child when one misbehaves (%s)',
    async (kind) => {
      const lives = await inFirstLives(1);
      const watched = new Watched({ kind, lives } as Misbehaviour, {
        heartbeatIntervalMs: 100,
        heartbeatTimeoutMs: 600,
        maxMessagesPerInterval: 300,
      });
      await watched.pool.start();
      const talk = watched.say([1, 2]);
      await vi.waitFor(() => expect(watched.downs.length).toBeGreaterThanOrEqual(1), { timeout: 20_000 });
      talk.say([3]);
      await talk.finish([1, 2, 3]);
    },
  );

  it.each<Misbehaviour['kind']>(['never_decode', 'ignore_finish'])(
    'replaces a child that answers pings but does not do its work (%s)',
    async (kind) => {
      const lives = await inFirstLives(1);
      const watched = new Watched({ kind, lives } as Misbehaviour, { progressDeadlineMs: 400 });
      await watched.pool.start();
      await watched.say([1, 2, 3]).finish([1, 2, 3]);
      expect(watched.downs).toMatchObject([{ cause: 'hung' }]);
    },
  );

  it('ends one utterance that the recogniser fails on, and no other', async () => {
    const watched = new Watched({ kind: 'fail_poisoned' });
    await watched.pool.start();
    const [good, bad] = [watched.say([1, 2]), watched.say([POISON, 3])];
    await bad.waitUntilFailed();
    good.say([4]);
    await good.finish([1, 2, 4]);
    expect([watched.failedUtterances, watched.downs.length]).toEqual([1, 0]);
    expect(watched.pool.openUtterances).toBe(0);
  });

  it.each([1, 2])(
    'gives up one utterance that kills its child three times, and no other (%i children)',
    async (children) => {
      const watched = new Watched({ kind: 'die_of_poison' }, { children });
      await watched.pool.start();
      const before = watched.say([1, 2, 3]);
      const bad = watched.say([4, POISON, 5]);
      const after = [6, 7, 8].map((word) => watched.say([word, word, word]));
      await bad.waitUntilFailed();
      before.say([9]);
      await before.finish([1, 2, 3, 9]);
      await Promise.all(after.map((talk, index) => talk.finish(Array<number>(3).fill(6 + index))));
      expect(watched.failedUtterances).toBe(1);
      expect(watched.downs).toHaveLength(3);
    },
  );

  it('tells nothing more of an utterance that was cancelled', async () => {
    const watched = new Watched({ kind: 'none' });
    await watched.pool.start();
    const cancelled = watched.say([1]);
    const other = watched.say([2]);
    cancelled.utterance.cancel();
    await other.finish([2]);
    expect(cancelled.told).toEqual([]);
    expect(cancelled.hasFailed).toBe(false);
    expect(watched.pool.openUtterances).toBe(0);
  });

  it('fails what waits when no child will ever come back', async () => {
    const watched = new Watched({ kind: 'exit_after_ready', code: CHILD_EXIT.configurationRefused });
    await watched.pool.start();
    const talk = watched.say([1]);
    await talk.waitUntilFailed();
    expect(watched.pool.health.state).toBe('unavailable');
    const later = watched.say([2]);
    await later.waitUntilFailed();
    expect(watched.pool.openUtterances).toBe(0);
  });
});

describe('RecogniserPool that moves utterances', () => {
  it('gives a child that comes late its part of what is being said already', async () => {
    const watched = new Watched(
      { kind: 'slow_ready', forMs: 4000, lives: await inFirstLives(1) },
      { children: 2 },
    );
    await watched.pool.start();
    const talks = [10, 20, 30, 40].map((word) => watched.say([word, word + 1]));
    await Promise.all(talks.map((talk, index) => talk.waitFor([10 * index + 10, 10 * index + 11])));
    const first = new Set(watched.calls);
    expect(first.size).toBe(1);
    let word = 2;
    // Whoever moved is decoded elsewhere from then on.
    await vi.waitFor(
      async () => {
        talks.forEach((talk, index) => talk.say([10 * index + 10 + word]));
        word += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(new Set(watched.calls).size).toBe(2);
      },
      { timeout: 20_000 },
    );
    const said = Array.from({ length: word }, (_, count) => count);
    await Promise.all(talks.map((talk, index) => talk.finish(said.map((count) => 10 * index + 10 + count))));
    expect(watched.downs).toEqual([]);
  });

  it('starts another child when it is behind, says so, and ends it when it keeps up again: nothing is lost', async () => {
    const watched = new Watched(
      { kind: 'never_decode', lives: await inFirstLives(1) },
      { maxChildren: 2, progressDeadlineMs: 2500, sizing: { settlingMs: 100, keptWhileCalmMs: 300 } },
    );
    await watched.pool.start();
    const words = Array.from({ length: 20 }, (_, index) => index + 1);
    const talks = [100, 200, 300].map((first) => watched.say(words.map((word) => first + word)));
    await vi.waitFor(() => expect(watched.pool.health.reason).toContain('late'), { timeout: 20_000 });
    await vi.waitFor(() => expect(watched.calls).toContain(1), { timeout: 20_000 });
    // The first child is replaced for want of progress; then there is one too many.
    await vi.waitFor(() => expect(watched.pool.health.state).toBe('live'), { timeout: 20_000 });
    await vi.waitFor(() => expect(watched.pool.childPids).toHaveLength(1), { timeout: 20_000 });
    talks.forEach((talk, index) => talk.say([100 * index + 121]));
    await Promise.all(
      talks.map((talk, index) => talk.finish([...words, 21].map((word) => 100 * index + 100 + word))),
    );
    expect(watched.downs).toMatchObject([{ cause: 'hung' }]);
    expect(watched.failedUtterances).toBe(0);
  });
});

describe('RecogniserPool.start', () => {
  const codeOf = (watched: Watched): Promise<unknown> =>
    watched.pool.start().then(
      () => 'started',
      (error: unknown) => error,
    );

  it('rejects when the recogniser refuses its model', async () => {
    const watched = new Watched({ kind: 'exit_before_ready', code: CHILD_EXIT.configurationRefused });
    expect(await codeOf(watched)).toMatchObject({ code: 'recogniser_refused', retryable: false });
  });

  it.each([
    [
      'the child',
      { kind: 'exit_before_ready', code: CHILD_EXIT.versionMismatch } as const,
      MISBEHAVING_CHILD,
    ],
    ['the parent', { kind: 'none' } as const, OUTDATED_CHILD],
  ])('rejects when %s finds the versions to differ', async (_who, misbehaviour, entry) => {
    const watched = new Watched(misbehaviour, { entry });
    expect(await codeOf(watched)).toMatchObject({ code: 'recogniser_version_mismatch', retryable: false });
  });

  it('rejects when the child ends three times, with what it said', async () => {
    const watched = new Watched({ kind: 'exit_before_ready', code: 255 }, { children: 2 });
    const error = await codeOf(watched);
    expect(error).toMatchObject({ code: 'recogniser_start_failed', retryable: true });
    expect(String(error)).toContain('the reason');
  });

  it('rejects when no child becomes ready in time', async () => {
    const watched = new Watched({ kind: 'never_ready' }, { readyDeadlineMs: 200 });
    const error = await codeOf(watched);
    expect(error).toMatchObject({ code: 'recogniser_start_failed' });
    expect(String(error)).toContain('SIGKILL');
  });

  it('resolves when a child fails once and is ready then', async () => {
    const lives = await inFirstLives(1);
    const watched = new Watched({ kind: 'exit_before_ready', code: 255, lives });
    expect(await codeOf(watched)).toBe('started');
  });

  it('rejects when the pool is closed meanwhile', async () => {
    const watched = new Watched({ kind: 'never_ready' });
    const starting = codeOf(watched);
    await watched.pool.close();
    expect(await starting).toMatchObject({ code: 'closed' });
  });
});
