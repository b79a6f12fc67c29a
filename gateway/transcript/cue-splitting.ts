/**
 * Cuts what somebody said into subtitles that can be read: two lines of 42 columns, 17 columns a second where the speech
 * leaves the time. Of all ways to cut, the cheapest is taken: at the ends of sentences rather than within them, at pauses,
 * and so that fast passages share a cue with slower ones.
 */
import { chopText, textColumns } from './text-columns.js';

export const MAX_CUE_LINES = 2;
export const MAX_LINE_COLUMNS = 42;
/** What most people can read, in columns a second. */
export const READING_SPEED = 17;
/** A cue stays at least so long where nothing follows at once. */
const MIN_CUE_MS = 1000;
const LONG_PAUSE_MS = 2000;
const SHORT_PAUSE_MS = 400;
const FEW_COLUMNS = 12;
const INNER_SENTENCE_COST = 0.4;

const SENTENCE_END = /[.!?…。！？]["'”’»)\]]*$/u;
const CLAUSE_END = /[,;:،、，；–—]["'”’»)\]]*$/u;

export interface CueWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface CuePiece extends CueWord {
  /** The former piece ends in the middle of a word that goes on here: no space between. */
  readonly continues: boolean;
}

export interface SplitCue {
  readonly startMs: number;
  /** Later than `startMs`, and not later than the beginning of the next cue unless that begins no later than this one. */
  readonly endMs: number;
  readonly lines: readonly (readonly CuePiece[])[];
}

export interface SplitOptions {
  /** When the same speaker goes on after these words; default never. */
  readonly nextStartMs?: number;
  /** Taken by the speaker's name at the beginning of every cue; 0 to 30. Default 0. */
  readonly labelColumns?: number;
}

interface MeasuredPiece extends CuePiece {
  readonly columns: number;
}

/** Every word is in exactly one cue, in order; only a word wider than a line is cut, and goes on in the next line. */
export function splitIntoCues(words: readonly CueWord[], options: SplitOptions = {}): SplitCue[] {
  const { nextStartMs = Infinity, labelColumns = 0 } = options;
  const pieces = words.flatMap((word) => piecesOf(word, MAX_LINE_COLUMNS - labelColumns));
  const cues: SplitCue[] = [];
  const ends = cheapestEnds(pieces, { nextStartMs, labelColumns });
  for (let first = 0; first < pieces.length;) {
    const end = ends[first] ?? pieces.length;
    const group = pieces.slice(first, end);
    cues.push({
      ...timesOf(group, pieces[end]?.startMs ?? nextStartMs),
      lines: inLines(group, labelColumns),
    });
    first = end;
  }
  return cues;
}

function piecesOf(word: CueWord, maxColumns: number): MeasuredPiece[] {
  const texts = chopText(word.text, maxColumns);
  const stepMs = (word.endMs - word.startMs) / texts.length;
  return texts.map((text, index) => ({
    text,
    startMs: Math.round(word.startMs + stepMs * index),
    endMs: Math.round(word.startMs + stepMs * (index + 1)),
    continues: index > 0,
    columns: textColumns(text),
  }));
}

/** For each piece that begins a cue the piece after its end, on the cheapest way from there to the end of all. */
function cheapestEnds(pieces: readonly MeasuredPiece[], options: Required<SplitOptions>): number[] {
  const ends = new Array<number>(pieces.length).fill(pieces.length);
  const costs = new Array<number>(pieces.length + 1).fill(0);
  for (let first = pieces.length - 1; first >= 0; first -= 1) {
    let cheapest = Infinity;
    const fit = new LineFit(options.labelColumns);
    let innerCost = 0;
    for (let end = first + 1; end <= pieces.length; end += 1) {
      const piece = pieces[end - 1];
      const before = end - 1 > first ? pieces[end - 2] : undefined;
      if (piece === undefined || !fit.add(piece) || isAfterLongPause(before, piece)) break;
      if (before !== undefined && SENTENCE_END.test(before.text)) innerCost += INNER_SENTENCE_COST;
      const cost =
        cueCost(pieces, { first, end, columns: fit.columns, nextStartMs: options.nextStartMs }) +
        innerCost +
        (costs[end] ?? 0);
      if (cost >= cheapest) continue;
      cheapest = cost;
      ends[first] = end;
    }
    costs[first] = cheapest;
  }
  return ends;
}

/** Whether pieces still fit the lines of one cue, filled one after the other: no other way needs fewer lines. */
class LineFit {
  columns = 0;
  #isEmpty = true;
  #line = 0;
  #lineColumns: number;

  constructor(labelColumns: number) {
    this.#lineColumns = labelColumns;
  }

  /** False where the piece does not fit any more. */
  add(piece: MeasuredPiece): boolean {
    const isFirst = this.#isEmpty;
    this.#isEmpty = false;
    const space = isFirst || piece.continues ? 0 : 1;
    const mustBreak = piece.continues && !isFirst;
    if (!mustBreak && this.#lineColumns + space + piece.columns <= MAX_LINE_COLUMNS) {
      this.#lineColumns += space + piece.columns;
    } else {
      this.#line += 1;
      this.#lineColumns = piece.columns;
    }
    this.columns += space + piece.columns;
    return this.#line < MAX_CUE_LINES;
  }
}

interface CueRange {
  readonly first: number;
  readonly end: number;
  readonly columns: number;
  readonly nextStartMs: number;
}

/** One for every cue, more where it ends at a bad place or cannot be read in its time. */
function cueCost(pieces: readonly MeasuredPiece[], { first, end, columns, nextStartMs }: CueRange): number {
  const last = pieces[end - 1];
  const next = pieces[end];
  const availableMs = (next?.startMs ?? nextStartMs) - (pieces[first]?.startMs ?? 0);
  const neededMs = Math.max(MIN_CUE_MS, (columns / READING_SPEED) * 1000);
  const tooFast = availableMs >= neededMs ? 0 : Math.min(neededMs / Math.max(availableMs, 1) - 1, 3);
  const isScrap = columns < FEW_COLUMNS && end - first < pieces.length;
  return 1 + 2 * tooFast + (isScrap ? 0.5 : 0) + (last === undefined ? 0 : endCost(last, next));
}

function endCost(last: MeasuredPiece, next: MeasuredPiece | undefined): number {
  if (next === undefined || SENTENCE_END.test(last.text)) return 0;
  if (next.continues) return 5;
  if (next.startMs - last.endMs >= SHORT_PAUSE_MS) return 0.2;
  return CLAUSE_END.test(last.text) ? 0.3 : 0.8;
}

/** Words would be shown before they are spoken, or stay when they are long over. */
const isAfterLongPause = (before: MeasuredPiece | undefined, piece: MeasuredPiece): boolean =>
  before !== undefined && piece.startMs - before.endMs >= LONG_PAUSE_MS;

function timesOf(group: readonly MeasuredPiece[], nextStartMs: number): { startMs: number; endMs: number } {
  const startMs = group[0]?.startMs ?? 0;
  const spokenUntilMs = group.reduce((latest, { endMs }) => Math.max(latest, endMs), startMs);
  const columns = group.reduce(
    (sum, piece, index) => sum + piece.columns + (index > 0 && !piece.continues ? 1 : 0),
    0,
  );
  const readableUntilMs = startMs + Math.max(MIN_CUE_MS, Math.ceil((columns / READING_SPEED) * 1000));
  const wantedMs = Math.max(spokenUntilMs, readableUntilMs);
  // A cue of no duration would not be shown.
  return { startMs, endMs: Math.max(startMs + 1, Math.min(wantedMs, nextStartMs)) };
}

/** One line where that is enough; else two, as equal as possible, rather after a comma than elsewhere. */
function inLines(group: readonly MeasuredPiece[], labelColumns: number): MeasuredPiece[][] {
  let best: { breakAt: number; cost: number } | undefined;
  for (let breakAt = 1; breakAt <= group.length; breakAt += 1) {
    const upper = lineColumns(group.slice(0, breakAt)) + labelColumns;
    const lower = lineColumns(group.slice(breakAt));
    if (upper > MAX_LINE_COLUMNS || lower > MAX_LINE_COLUMNS) continue;
    if (group.some(({ continues }, index) => continues && index !== breakAt && index > 0)) continue;
    const isGoodPlace = /[,;:.!?]$/.test(group[breakAt - 1]?.text ?? '');
    const cost = breakAt === group.length ? -1 : Math.abs(upper - lower) - (isGoodPlace ? 16 : 0) + 20;
    if (best === undefined || cost < best.cost) best = { breakAt, cost };
  }
  const breakAt = best?.breakAt ?? group.length;
  return [group.slice(0, breakAt), group.slice(breakAt)].filter((line) => line.length > 0);
}

const lineColumns = (line: readonly MeasuredPiece[]): number =>
  line.reduce((sum, { columns, continues }, index) => sum + columns + (index > 0 && !continues ? 1 : 0), 0);
