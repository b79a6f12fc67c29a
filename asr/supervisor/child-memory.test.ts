import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-memory.js';

describe('The environment of a recogniser child', () => {
  it('is the given one, with an allocator that gives back what it need not keep', () => {
    expect(childEnvironment({ HOME: '/somewhere' })).toMatchObject({
      HOME: '/somewhere',
      MALLOC_ARENA_MAX: '1',
    });
  });

  it('leaves the allocator to whoever set it for the gateway', () => {
    expect(childEnvironment({ MALLOC_ARENA_MAX: '4' })).toMatchObject({ MALLOC_ARENA_MAX: '4' });
  });
});
