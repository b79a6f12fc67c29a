import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadClips } from './load-clips.js';

const MANIFEST = fileURLToPath(new URL('../fixtures/speech/manifest.json', import.meta.url));

it('clips come with their audio', async () => {
  const clips = await loadClips(MANIFEST);
  expect(clips.length).toBeGreaterThan(3);
  expect(clips.every(({ pcm }) => pcm.length > 16_000)).toBe(true);
});

it('says when none was labelled by hand', async () => {
  await expect(loadClips(MANIFEST, { isHandLabelled: true })).rejects.toMatchObject({
    code: 'usage_manifest_invalid',
    message: expect.stringContaining('labelled by hand') as string,
  });
});
