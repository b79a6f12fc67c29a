/** Clips of speech with what is said in them and when: the form of `fixtures/speech/manifest.json`. */
import { dirname, resolve } from 'node:path';
import { readTextFile } from '../asr/text-file.js';
import { CaptionError, errorMessage } from '../protocol/index.js';
import type { SpokenWord } from '../gateway/index.js';

/** A word's end moves to a hand-checked end of a phone that is this near; words are good to 100 ms, phones to 10. */
const PHONE_SNAP_MS = 80;
/** Labels of phones in which nobody speaks. */
const SILENT_PHONES = new Set(['sil', 'pau', 'sp']);

export interface Clip {
  readonly id: string;
  /** Absolute path of a WAV file. */
  readonly path: string;
  /** Null where there is no transcript. */
  readonly text: string | null;
  /** Empty where nobody has aligned them. */
  readonly words: readonly SpokenWord[];
  /** When somebody begins and stops speaking; null where neither the manifest nor its words tell. */
  readonly speech: SpeechSpan | null;
  /** Ends of words come from labels made by hand. */
  readonly isHandLabelled: boolean;
}

/** In milliseconds from the beginning of the clip. */
export interface SpeechSpan {
  readonly startMs: number;
  readonly endMs: number;
}

type Timed = readonly [string, number, number];

interface ManifestEntry {
  readonly id: string;
  readonly file: string;
  readonly text?: string | null;
  readonly words?: readonly Timed[] | null;
  readonly phones?: readonly (readonly [string, number])[] | null;
  readonly speech_start?: number | null;
  readonly speech_end?: number | null;
}

/** The speech clips. Throws CaptionError `usage_manifest_invalid`. */
export async function readManifest(path: string): Promise<Clip[]> {
  let content: unknown;
  try {
    content = JSON.parse(await readTextFile(path));
  } catch (error) {
    throw new CaptionError(
      'usage_manifest_invalid',
      `Manifest ${path} cannot be read: ${errorMessage(error)}`,
    );
  }
  return parseManifest(content, path);
}

/** `path` is the manifest's own: clips lie beside it. */
export function parseManifest(content: unknown, path: string): Clip[] {
  const speech = isObject(content) ? content['speech'] : undefined;
  if (!Array.isArray(speech) || speech.length === 0 || !speech.every(isEntry)) {
    throw new CaptionError(
      'usage_manifest_invalid',
      `${path} is no manifest: it needs "speech", a list of {id, file, text, words: [[word, startSeconds, endSeconds]]}.`,
    );
  }
  return speech.map((entry) => {
    const words = wordsOf(entry);
    return {
      id: entry.id,
      path: resolve(dirname(path), entry.file),
      text: entry.text ?? null,
      words,
      speech: speechSpanOf(entry, words),
      isHandLabelled: (entry.phones ?? []).length > 0,
    };
  });
}

function speechSpanOf(entry: ManifestEntry, words: readonly SpokenWord[]): SpeechSpan | null {
  const startMs = inMs(entry.speech_start) ?? words[0]?.startMs;
  const endMs = inMs(entry.speech_end) ?? words.at(-1)?.endMs;
  return startMs === undefined || endMs === undefined ? null : { startMs, endMs };
}

const inMs = (seconds: number | null | undefined): number | undefined =>
  seconds === null || seconds === undefined ? undefined : seconds * 1000;

function wordsOf({ words, phones }: ManifestEntry): SpokenWord[] {
  const phoneEndsMs = (phones ?? [])
    .filter(([label]) => !SILENT_PHONES.has(label))
    .map(([, endS]) => endS * 1000);
  return (words ?? []).map(([text, startS, endS]) => ({
    text,
    startMs: startS * 1000,
    endMs: snapToPhone(endS * 1000, phoneEndsMs),
  }));
}

/** The end of a phone nearest to `endMs`, if one is near enough. */
export function snapToPhone(endMs: number, phoneEndsMs: readonly number[]): number {
  let nearest = endMs;
  let distance = PHONE_SNAP_MS;
  for (const phoneEndMs of phoneEndsMs) {
    if (Math.abs(phoneEndMs - endMs) > distance) continue;
    nearest = phoneEndMs;
    distance = Math.abs(phoneEndMs - endMs);
  }
  return nearest;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isEntry(value: unknown): value is ManifestEntry {
  if (!isObject(value)) return false;
  const { id, file, text, words, phones, speech_start: speechStart, speech_end: speechEnd } = value;
  return (
    typeof id === 'string' &&
    typeof file === 'string' &&
    isAbsentOr(text, (given) => typeof given === 'string') &&
    isAbsentOr(words, (given) => Array.isArray(given) && given.every(isTimed)) &&
    isAbsentOr(phones, (given) => Array.isArray(given) && given.every(isPhone)) &&
    isAbsentOr(speechStart, Number.isFinite) &&
    isAbsentOr(speechEnd, Number.isFinite)
  );
}

const isAbsentOr = (value: unknown, test: (value: unknown) => boolean): boolean =>
  value === undefined || value === null || test(value);

const isTimed = (value: unknown): boolean =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  Number.isFinite(value[1]) &&
  Number.isFinite(value[2]);

const isPhone = (value: unknown): boolean =>
  Array.isArray(value) && typeof value[0] === 'string' && Number.isFinite(value[1]);
