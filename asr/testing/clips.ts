/** Speech and other sounds for tests: the project's own and, where it is present, real speech beside the checkout. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mixToMono } from '../audio/mix-to-mono.js';
import { readWavFile, toSixteenKilohertz } from '../audio/wav-file.js';

export interface Clip {
  readonly id: string;
  /** What is said; empty in sounds that are no speech. */
  readonly text: string;
  /** 16 kHz, mono. */
  readonly pcm: Int16Array;
  /** Word, start and end in seconds. */
  readonly words: readonly (readonly [string, number, number])[];
}

interface Entry {
  readonly id: string;
  readonly file: string;
  readonly text: string | null;
  readonly words?: Clip['words'];
}

const root = findRoot();
const ownManifest = join(root, 'fixtures/speech/manifest.json');
const realManifest = resolve(root, '../shared/speech/manifest.json');

/** This file runs from its source and built, at another depth. */
function findRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir);
  return dir;
}

/** The project's own speech whose ids begin so, in the order of the manifest. */
export const ownSpeech = async (prefix: string): Promise<Clip[]> =>
  load(ownManifest, 'speech', (entry) => entry.id.startsWith(prefix));

/** Real speech by id; undefined where there is none. */
export async function realSpeech(id: string): Promise<Clip | undefined> {
  if (!existsSync(realManifest)) return undefined;
  const [clip] = await load(realManifest, 'speech', (entry) => entry.id === id);
  return clip;
}

/** Sounds that are no speech. */
export async function nonSpeech(): Promise<Clip[]> {
  const own = await load(ownManifest, 'non_speech', () => true);
  return existsSync(realManifest) ? [...own, ...(await load(realManifest, 'non_speech', () => true))] : own;
}

async function load(
  manifest: string,
  kind: 'speech' | 'non_speech',
  isWanted: (entry: Entry) => boolean,
): Promise<Clip[]> {
  const listed = JSON.parse(await readFile(manifest, 'utf8')) as Record<typeof kind, Entry[]>;
  return Promise.all(
    listed[kind].filter(isWanted).map(async ({ id, file, text, words }) => {
      const { channels, sampleRateHz } = await readWavFile(join(dirname(manifest), file));
      const pcm = await toSixteenKilohertz(mixToMono(channels), sampleRateHz);
      return { id, text: text ?? '', pcm, words: words ?? [] };
    }),
  );
}

/** One after the other. */
export function joinPcm(parts: readonly Int16Array[]): Int16Array {
  const joined = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

export const silence = (durationMs: number): Int16Array => new Int16Array(durationMs * 16);
