import { afterAll, afterEach } from 'vitest';

export type Cleanup = () => Promise<void> | void;

/** Returns a function that takes what is to be done after each test, newest first, also when it failed. */
export function cleanupsAfterEach(): (cleanup: Cleanup) => void {
  const cleanups: Cleanup[] = [];
  afterEach(() => runAll(cleanups));
  return (cleanup) => cleanups.push(cleanup);
}

/** The same after all tests of a file or a `describe`. */
export function cleanupsAfterAll(): (cleanup: Cleanup) => void {
  const cleanups: Cleanup[] = [];
  afterAll(() => runAll(cleanups));
  return (cleanup) => cleanups.push(cleanup);
}

async function runAll(cleanups: Cleanup[]): Promise<void> {
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) await cleanup();
}
