import { readSpeech } from '../gateway/index.js';
import type { LoadedClip } from './clip-schedule.js';
import { readManifest } from './manifest.js';

/** The clips of a manifest with their audio. Throws what `readManifest` and reading WAV files throw. */
export async function loadClips(manifest: string): Promise<LoadedClip[]> {
  const clips = await readManifest(manifest);
  return Promise.all(clips.map(async (clip) => ({ ...clip, pcm: await readSpeech(clip.path) })));
}
