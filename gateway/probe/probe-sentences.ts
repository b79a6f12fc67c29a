import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTextFile } from '../../asr/text-file.js';
import { CaptionError, errorMessage, msToSamples } from '../../protocol/index.js';
import { readSpeech, type SpokenWord } from '../meeting/meeting.js';

/** What ends a sentence for the recogniser. */
const SILENCE_MS = 1600;
/** Of the project's own speech: whole sentences of a few seconds, in two voices. */
const DEFAULT_IDS = ['short-02-paul', 'demo-03-paul', 'demo-06-paul', 'short-01-claire', 'short-04-paul'];

/** The package's folder, from this file's place in the sources or in dist/. */
const packageRoot = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/** Something that the probe says, and what should be shown. */
export interface ProbeSentence {
  readonly id: string;
  /** 16 kHz mono, with the silence that ends it. */
  readonly pcm: Int16Array;
  readonly words: readonly SpokenWord[];
}

type TimedWord = readonly [string, number, number];

/**
 * Clips with word times from a manifest in the form of `fixtures/speech/manifest.json`, which is also the default. Throws
 * CaptionError `usage_manifest_invalid`, and what reading WAV files throws.
 */
export async function loadSentences(manifest?: string): Promise<ProbeSentence[]> {
  const path = manifest ?? fileURLToPath(new URL('fixtures/speech/manifest.json', packageRoot));
  const entries = await readEntries(path);
  const wanted = manifest === undefined ? entries.filter(({ id }) => DEFAULT_IDS.includes(id)) : entries;
  return Promise.all(
    wanted.map(async ({ id, file, words }) => {
      const speech = await readSpeech(resolve(dirname(path), file));
      const pcm = new Int16Array(speech.length + msToSamples(SILENCE_MS));
      pcm.set(speech);
      return {
        id,
        pcm,
        words: words.map(([text, startS, endS]) => ({ text, startMs: startS * 1000, endMs: endS * 1000 })),
      };
    }),
  );
}

interface Entry {
  readonly id: string;
  readonly file: string;
  readonly words: readonly TimedWord[];
}

async function readEntries(path: string): Promise<Entry[]> {
  let content: unknown;
  try {
    content = JSON.parse(await readTextFile(path));
  } catch (error) {
    throw invalid(`Manifest ${path} cannot be read: ${errorMessage(error)}`);
  }
  const speech = isRecord(content) ? content['speech'] : undefined;
  const entries = Array.isArray(speech) ? speech.filter(isEntry) : [];
  if (entries.length > 0) return entries;
  throw invalid(
    `${path} has no clips with words: it needs "speech", a list of {id, file, words: [[word, startSeconds, endSeconds]]}.`,
  );
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { id, file, words } = value;
  return (
    typeof id === 'string' &&
    typeof file === 'string' &&
    Array.isArray(words) &&
    words.length > 0 &&
    words.every(isTimed)
  );
}

const isTimed = (value: unknown): boolean =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  Number.isFinite(value[1]) &&
  Number.isFinite(value[2]);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const invalid = (message: string): CaptionError => new CaptionError('usage_manifest_invalid', message);
