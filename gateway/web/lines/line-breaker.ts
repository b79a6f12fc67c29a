/** The words of one segment in lines. */
export interface LineBreaks {
  /** Index of the first word of each line; the first is 0. Never empty. */
  readonly starts: readonly number[];
  /** How many words were broken. */
  readonly wordCount: number;
}

export const NO_LINES: LineBreaks = { starts: [0], wordCount: 0 };

export interface LineRoom {
  /** What a line can hold. */
  readonly widthPx: number;
  readonly spacePx: number;
  /**
   * Words that are new begin another line this much earlier than they must: a word that is revised can then grow where it
   * stands. Smaller than `widthPx`.
   */
  readonly reservePx: number;
  /** What stands in front of the first word of a line (a speaker's name); 0 for nothing. */
  readonly indentPx: (line: number) => number;
}

/**
 * Breaks a growing segment into lines, given the width of each word. A break that was made stays: a word that was shown
 * goes to another line only where its own cannot hold it any longer, and never back. Nothing before a word bears on the
 * words before it: lines of words that will not change any more do not change either. A word wider than a line gets
 * one of its own.
 */
export function breakLines(wordsPx: readonly number[], before: LineBreaks, room: LineRoom): LineBreaks {
  const starts = [0];
  let isAsBefore = true;
  let usedPx = room.indentPx(0) + (wordsPx[0] ?? 0);
  for (let index = 1; index < wordsPx.length; index++) {
    const line = starts.length - 1;
    const wordPx = wordsPx[index] ?? 0;
    const nextStart = before.starts[line + 1] ?? before.wordCount;
    const wasShown = isAsBefore && index < before.wordCount;
    const reservePx = wasShown && index < nextStart ? 0 : room.reservePx;
    const isFull = usedPx + room.spacePx + wordPx > room.widthPx - reservePx;
    if (isFull || (wasShown && index === nextStart)) {
      if (wasShown && index !== nextStart) isAsBefore = false;
      starts.push(index);
      usedPx = room.indentPx(starts.length - 1) + wordPx;
    } else usedPx += room.spacePx + wordPx;
  }
  return { starts, wordCount: wordsPx.length };
}
