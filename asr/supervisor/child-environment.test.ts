import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-environment.js';

describe('The environment of a recogniser child', () => {
  it('is what it needs of the given one, with an allocator that gives back what it need not keep', () => {
    expect(
      childEnvironment({
        HOME: '/somewhere',
        LC_ALL: 'fr_FR.UTF-8',
        ORT_LOG: '1',
        NODE_OPTIONS: '--trace-gc',
      }),
    ).toMatchObject({
      HOME: '/somewhere',
      LC_ALL: 'fr_FR.UTF-8',
      ORT_LOG: '1',
      NODE_OPTIONS: '--trace-gc',
      MALLOC_ARENA_MAX: '1',
    });
  });

  it('leaves the allocator to whoever set it for the gateway', () => {
    expect(childEnvironment({ MALLOC_ARENA_MAX: '4' })).toMatchObject({ MALLOC_ARENA_MAX: '4' });
  });

  it('has nothing else, whatever it is called', () => {
    const secrets = [
      'LIVEKIT_API_SECRET',
      'CAPTION_E2EE_KEY',
      'AWS_SECRET_ACCESS_KEY',
      'NODE_AUTH_TOKEN',
      'DATABASE_URL',
    ];
    const names = Object.keys(childEnvironment(Object.fromEntries(secrets.map((name) => [name, 'secret']))));
    expect(names.sort()).toEqual(['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_']);
  });
});
