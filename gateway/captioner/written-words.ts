import { type CaptionWord, epochMs, MAX_WORD_CHARS, visibleLine } from '../../protocol/index.js';

/** How fast somebody writes of whom nothing is known yet: 200 words a minute. */
const MS_PER_CHARACTER = 50;
const LONGEST_GUESS_MS = 10_000;

export interface Writing {
  readonly text: string;
  /** When this text arrived, in epoch milliseconds. */
  readonly nowMs: number;
  /** When the former text arrived; undefined for the first one. */
  readonly beforeMs: number | undefined;
  /** Nothing is said to have been written before this. */
  readonly notBeforeMs: number;
}

/**
 * The words of a text that was written over time. Words that stand as they did, at the beginning or the end, keep their
 * times; those between take the time that lies between. `keep`: how many leading words are the former ones.
 */
export function writtenWords(
  former: readonly CaptionWord[],
  writing: Writing,
): { keep: number; words: CaptionWord[] } {
  const texts = wordsIn(writing.text);
  const shorter = Math.min(former.length, texts.length);
  let prefix = 0;
  while (prefix < shorter && former[prefix]?.text === texts[prefix]) prefix += 1;
  let suffix = 0;
  while (prefix + suffix < shorter && former.at(-1 - suffix)?.text === texts.at(-1 - suffix)) suffix += 1;
  const tail = suffix === 0 ? [] : former.slice(-suffix);
  const middle = spread(
    texts.slice(prefix, texts.length - suffix),
    timeBetween({ former, prefix, tail, writing }),
  );
  return { keep: prefix, words: [...former.slice(0, prefix), ...middle, ...tail] };
}

/** Words as they are shown: nothing that cannot be seen in them, none longer than a caption may have. */
function wordsIn(text: string): string[] {
  const longest = new RegExp(`.{1,${MAX_WORD_CHARS / 2}}`, 'gsu');
  return visibleLine(text)
    .split(' ')
    .filter((word) => word !== '')
    .flatMap((word) => (word.length <= MAX_WORD_CHARS ? [word] : (word.match(longest) ?? [])));
}

function timeBetween(of: {
  former: readonly CaptionWord[];
  prefix: number;
  tail: readonly CaptionWord[];
  writing: Writing;
}): { fromMs: number; toMs: number } {
  const { former, prefix, tail, writing } = of;
  const { nowMs, beforeMs, notBeforeMs, text } = writing;
  const guessMs = nowMs - Math.min(LONGEST_GUESS_MS, text.length * MS_PER_CHARACTER);
  const earliestMs = former[prefix - 1]?.endMs ?? notBeforeMs;
  // A word that is being written began when its first character came.
  const beganMs = former[prefix]?.startMs ?? beforeMs ?? guessMs;
  const toMs = tail[0]?.startMs ?? nowMs;
  const fromMs = Math.min(Math.max(earliestMs, beganMs), toMs);
  return { fromMs, toMs };
}

/** Longer words take more of the time. */
function spread(texts: readonly string[], { fromMs, toMs }: { fromMs: number; toMs: number }): CaptionWord[] {
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  const at = (characters: number): number => Math.round(fromMs + ((toMs - fromMs) * characters) / total);
  let written = 0;
  return texts.map((text) => {
    const startMs = epochMs(at(written));
    written += text.length;
    return { text, startMs, endMs: epochMs(at(written)) };
  });
}
