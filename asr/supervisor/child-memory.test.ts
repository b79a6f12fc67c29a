import { afterEach, describe, expect, it, vi } from 'vitest';
import { childEnvironment } from './child-memory.js';

describe('The environment of a recogniser child', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is that of its parent, with an allocator that gives back what it need not keep', () => {
    vi.stubEnv('HOME', '/somewhere');
    expect(childEnvironment()).toMatchObject({ HOME: '/somewhere', MALLOC_ARENA_MAX: '1' });
  });

  it('leaves the allocator to whoever set it for the gateway', () => {
    vi.stubEnv('MALLOC_ARENA_MAX', '4');
    expect(childEnvironment()).toMatchObject({ MALLOC_ARENA_MAX: '4' });
  });
});
