import { describe, expect, it } from 'vitest';
import { detached, reportStrayError, type StrayError, watchStrayErrors } from './detached.js';

describe('what nobody waits for', () => {
  it('is reported to all who watch when it fails, even where one of them fails too', async () => {
    const seen: StrayError[] = [];
    const stops = [
      watchStrayErrors(() => {
        throw new Error('the watcher failed');
      }),
      watchStrayErrors((stray) => seen.push(stray)),
    ];
    const error = new Error('it failed');
    detached('a test', Promise.reject(error));
    detached('a test', Promise.resolve());
    detached('a test', undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([{ what: 'a test', error }]);
    for (const stop of stops) stop();
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    reportStrayError('a test', error);
    expect((await warned).message).toBe('a test failed: it failed');
    expect(seen).toHaveLength(1);
  });
});
