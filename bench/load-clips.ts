import { readSpeech } from '../gateway/index.js';
import { CaptionError } from '../protocol/index.js';
import type { LoadedClip } from './clip-schedule.js';
import { readManifest } from './manifest.js';

/**
 * The clips of a manifest with their audio; with `isHandLabelled` only those whose words' ends were labelled by hand. Throws what
 * `readManifest` and reading WAV files throw, and CaptionError `usage_manifest_invalid` when no clip is left.
 */
export async function loadClips(
  manifest: string,
  { isHandLabelled = false }: { readonly isHandLabelled?: boolean } = {},
): Promise<LoadedClip[]> {
  const clips = (await readManifest(manifest)).filter((clip) => !isHandLabelled || clip.isHandLabelled);
  if (clips.length === 0)
    throw new CaptionError(
      'usage_manifest_invalid',
      `${manifest} has no clip labelled by hand: none has "phones".`,
    );
  return Promise.all(clips.map(async (clip) => ({ ...clip, pcm: await readSpeech(clip.path) })));
}
