/** How well what was shown of several people in one room is what they said, and whether each was given their own words. */
import { alignWords, type AlignmentOp, normaliseWords, type TrackedWord, wordKey } from '../asr/index.js';
import { type ScheduledClip, wordsAt } from './clip-schedule.js';
import { formattedWords, isFormatted } from './formatted-words.js';

/** A word that is missing with one speaker and too many with another is the same when it was said and shown within this. */
const SAME_MOMENT_MS = 1500;

export interface ErrorCounts {
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  readonly spoken: number;
}

export interface ClipErrors {
  readonly clip: ScheduledClip;
  /** Lower case, without punctuation. */
  readonly plain: ErrorCounts;
  /** Case and punctuation count; null where the transcript has none. */
  readonly formatted: ErrorCounts | null;
}

/** What one person said and what was shown of it. */
export interface SpeakerWords {
  readonly clips: readonly ScheduledClip[];
  readonly words: readonly TrackedWord[];
  /** When the meeting began, in Unix time, which is what caption words carry. */
  readonly startEpochMs: number;
}

/**
 * Aligns all that a speaker said with all that was shown, and gives each clip the errors in it; a word too many belongs to the clip of
 * the word before. Clips without a transcript must have been left out before.
 * @throws CaptionError `alignment_too_long`.
 */
export function scoreSpeaker({ clips, words }: SpeakerWords): ClipErrors[] {
  const shown = words.map(({ text }) => text).join(' ');
  const plain = errorsByClip(clips, { split: normaliseWords, shown });
  const formatted = errorsByClip(clips, { split: formattedWords, shown });
  return clips.map((clip, index) => ({
    clip,
    plain: plain[index] ?? NO_ERRORS,
    formatted: isFormatted(clip.clip.text ?? '') ? (formatted[index] ?? NO_ERRORS) : null,
  }));
}

const NO_ERRORS: ErrorCounts = { substitutions: 0, deletions: 0, insertions: 0, spoken: 0 };

function errorsByClip(
  clips: readonly ScheduledClip[],
  texts: { readonly split: (text: string) => string[]; readonly shown: string },
): ErrorCounts[] {
  const spoken = clips.map(({ clip }) => texts.split(clip.text ?? ''));
  const clipOfWord = spoken.flatMap((words, clip) => words.map(() => clip));
  const counts = spoken.map((words) => ({ ...NO_ERRORS, spoken: words.length }));
  let clip = 0;
  for (const op of alignWords(spoken.flat(), texts.split(texts.shown))) {
    clip = op.referenceIndex === undefined ? clip : (clipOfWord[op.referenceIndex] ?? clip);
    const count = counts[clip];
    if (count !== undefined) countOp(count, op);
  }
  return counts;
}

function countOp(counts: { -readonly [Key in keyof ErrorCounts]: ErrorCounts[Key] }, op: AlignmentOp): void {
  switch (op.kind) {
    case 'match':
      return;
    case 'substitution':
      counts.substitutions += 1;
      return;
    case 'deletion':
      counts.deletions += 1;
      return;
    case 'insertion':
      counts.insertions += 1;
  }
}

interface Moment {
  readonly speaker: number;
  readonly word: string;
  readonly atMs: number;
}

/** As far apart nothing can have been credited to the wrong person: what is counted then is chance. */
const CHANCE_SHIFTS_MS = [-12_000, -8000, 8000, 12_000];

/** What `wordsCreditedToOthers` counts where there is nothing to be found: the mean of counts with one side moved in time. */
export const creditedByChance = (room: readonly SpeakerWords[]): number =>
  CHANCE_SHIFTS_MS.reduce((sum, shiftMs) => sum + wordsCreditedToOthers(room, shiftMs), 0) /
  CHANCE_SHIFTS_MS.length;

/**
 * Words of one speaker that are missing with them and stand, at the same moment and too many, with another of the same room. An upper
 * bound: a common word may be missing here and have been misheard there by chance; `creditedByChance` says how often. Needs the times
 * of the words that were said.
 * @throws CaptionError `alignment_too_long`.
 */
export function wordsCreditedToOthers(room: readonly SpeakerWords[], shiftMs = 0): number {
  const missing: Moment[] = [];
  const tooMany: Moment[] = [];
  for (const [speaker, { clips, words, startEpochMs }] of room.entries()) {
    const said = clips
      .flatMap(wordsAt)
      .flatMap(({ text, startMs, endMs }) =>
        normaliseWords(text).map((word) => ({ speaker, word, atMs: startEpochMs + (startMs + endMs) / 2 })),
      );
    const shown = words
      .map(({ text, startMs, endMs }) => ({ speaker, word: wordKey(text), atMs: (startMs + endMs) / 2 }))
      .filter(({ word }) => word !== '');
    const ops = alignWords(
      said.map(({ word }) => word),
      shown.map(({ word }) => word),
    );
    for (const { kind, referenceIndex, hypothesisIndex } of ops) {
      if (kind === 'match') continue;
      const lost = referenceIndex === undefined ? undefined : said[referenceIndex];
      const extra = hypothesisIndex === undefined ? undefined : shown[hypothesisIndex];
      if (lost !== undefined) missing.push(lost);
      if (extra !== undefined) tooMany.push(extra);
    }
  }
  return missing.filter((lost) => {
    const index = tooMany.findIndex(
      ({ speaker, word, atMs }) =>
        speaker !== lost.speaker &&
        word === lost.word &&
        Math.abs(atMs + shiftMs - lost.atMs) <= SAME_MOMENT_MS,
    );
    if (index === -1) return false;
    tooMany.splice(index, 1);
    return true;
  }).length;
}
