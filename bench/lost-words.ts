/** Which words of an undisturbed run a disturbed one lacks, and whether viewers were told that they would. */
import { alignWords, normaliseWords, type ShownWord, type TrackingResult } from '../asr/index.js';

/** Times of words are estimates: a word that lies so far outside a gap may be the one that was lost at its edge. */
const GAP_MARGIN_MS = 400;

/** What a viewer saw of one speaker; `startAtMs`: when the meeting began, on the monotonic clock of this process. */
export interface SeenSpeaker {
  readonly tracking: Pick<TrackingResult, 'words'>;
  readonly startAtMs: number;
}

/** A gap that viewers were told of, in Unix time. */
export interface ToldGap {
  readonly startMs: number;
  readonly endMs: number;
}

/** Counts of words. */
export interface WordFate {
  readonly words: number;
  /** Missing, and no viewer was told. */
  readonly lostSilently: number;
  /** Missing where viewers were told of a gap. */
  readonly lostInToldGaps: number;
  readonly duplicated: number;
  readonly changed: number;
}

/** Compares in the order of speech: after a fault a short utterance may show before a longer one that was spoken earlier. */
export function fateOfWords(
  undisturbed: SeenSpeaker,
  disturbed: SeenSpeaker,
  gaps: readonly ToldGap[],
): WordFate {
  const expected = spoken(undisturbed);
  const received = spoken(disturbed);
  const ops = alignWords(
    expected.map(({ text }) => text),
    received.map(({ text }) => text),
  );
  const told = gaps.map(({ startMs, endMs }) => ({
    fromMs: sinceStart(startMs, disturbed) - GAP_MARGIN_MS,
    toMs: sinceStart(endMs, disturbed) + GAP_MARGIN_MS,
  }));
  const lost = ops.filter(({ kind }) => kind === 'deletion');
  const lostInToldGaps = lost.filter(({ referenceIndex = 0 }) => {
    const atMs = expected[referenceIndex]?.atMs ?? 0;
    return told.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  }).length;
  return {
    words: expected.length,
    lostSilently: lost.length - lostInToldGaps,
    lostInToldGaps,
    duplicated: ops.filter(({ kind }) => kind === 'insertion').length,
    changed: ops.filter(({ kind }) => kind === 'substitution').length,
  };
}

export function sumOfFates(fates: readonly WordFate[]): WordFate {
  const sum = (count: keyof WordFate): number => fates.reduce((total, fate) => total + fate[count], 0);
  return {
    words: sum('words'),
    lostSilently: sum('lostSilently'),
    lostInToldGaps: sum('lostInToldGaps'),
    duplicated: sum('duplicated'),
    changed: sum('changed'),
  };
}

/** Words as they are compared, in the order of speech, each with its middle since the meeting began. */
function spoken(seen: SeenSpeaker): { text: string; atMs: number }[] {
  const middle = ({ startMs, endMs }: ShownWord): number => sinceStart((startMs + endMs) / 2, seen);
  return seen.tracking.words
    .flatMap((word) => normaliseWords(word.text).map((text) => ({ text, atMs: middle(word) })))
    .sort((a, b) => a.atMs - b.atMs);
}

const sinceStart = (unixMs: number, { startAtMs }: SeenSpeaker): number =>
  unixMs - performance.timeOrigin - startAtMs;
