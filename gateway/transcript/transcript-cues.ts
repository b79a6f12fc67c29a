import { visibleLine } from '../../protocol/index.js';
import { splitIntoCues, type CuePiece } from './cue-splitting.js';
import { isolated, SpeakerNames } from './speaker-names.js';
import { textColumns } from './text-columns.js';
import { LABELS, type LabelLanguage } from './transcript-labels.js';
import { speakerKey, startOf, type Transcript, type TranscriptEntry } from './transcript-entry.js';

/** Longest name in front of a subtitle, in columns. */
const MAX_LABEL_COLUMNS = 20;

/** One subtitle of one speaker. Times in milliseconds from the beginning of the transcript, 0 or later. */
export interface TranscriptCue {
  readonly startMs: number;
  readonly endMs: number;
  readonly lines: readonly (readonly CuePiece[])[];
  /** Absent where the speaker is not to be named. */
  readonly speaker?: string;
  /** Tells speakers apart; empty where they are not to be named. */
  readonly speakerKey: string;
  readonly isByPerson: boolean;
  /** Tells of speech that was not captioned. */
  readonly isGap: boolean;
  /** Somebody else's subtitle, begun earlier, is still there. */
  readonly isBesideAnother: boolean;
}

export interface CueOptions {
  /** Of what the project itself says. Default `en`. */
  readonly language?: LabelLanguage;
  /** Whether the name stands in the first line, as in SubRip. Default false. */
  readonly namesInText?: boolean;
  /** False for a recording of which nobody knows who speaks. Default true. */
  readonly namesSpeakers?: boolean;
}

type Cue = Omit<TranscriptCue, 'isBesideAnother'>;

/** All subtitles, by their beginning. Made one entry at a time, so that a long meeting can be written bit by bit. */
export function* cuesOf(transcript: Transcript, options: CueOptions = {}): Generator<TranscriptCue> {
  const { entries } = transcript;
  const names = new SpeakerNames(transcript, options.namesInText === true ? MAX_LABEL_COLUMNS : Infinity);
  const nextStarts = nextStartsOfSpeakers(entries);
  const waiting: Cue[] = [];
  const shown: Cue[] = [];
  const beside = (cue: Cue): TranscriptCue => {
    const still = shown.filter(({ endMs }) => endMs > cue.startMs);
    shown.splice(0, shown.length, ...still, cue);
    return { ...cue, isBesideAnother: still.some(({ speakerKey: key }) => key !== cue.speakerKey) };
  };
  for (const [index, entry] of entries.entries()) {
    const startMs = startOf(entry) - transcript.startedAtMs;
    for (let cue = waiting[0]; cue !== undefined && cue.startMs < startMs; cue = waiting[0]) {
      waiting.shift();
      yield beside(cue);
    }
    for (const cue of cuesOfEntry(entry, {
      transcript,
      options,
      names,
      nextStartMs: nextStarts[index] ?? Infinity,
    }))
      insertByStart(waiting, cue);
  }
  for (const cue of waiting) yield beside(cue);
}

/** For each entry when its speaker goes on. */
function nextStartsOfSpeakers(entries: readonly TranscriptEntry[]): number[] {
  const starts = new Array<number>(entries.length).fill(Infinity);
  const next = new Map<string, number>();
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const key = speakerKey(entry.speaker);
    starts[index] = next.get(key) ?? Infinity;
    next.set(key, startOf(entry));
  }
  return starts;
}

interface EntryContext {
  readonly transcript: Transcript;
  readonly options: CueOptions;
  readonly names: SpeakerNames;
  /** In epoch milliseconds, as entries are. */
  readonly nextStartMs: number;
}

function cuesOfEntry(entry: TranscriptEntry, context: EntryContext): Cue[] {
  const { transcript, options, names, nextStartMs } = context;
  const { language = 'en', namesInText = false, namesSpeakers = true } = options;
  const speaker = namesSpeakers ? names.nameOf(entry.speaker) : undefined;
  const inText = namesInText && namesSpeakers ? `${isolated(names.nameOf(entry.speaker))}:` : '';
  const relative = (timeMs: number): number => Math.max(0, timeMs - transcript.startedAtMs);
  const words =
    entry.kind === 'gap'
      ? noteWords(LABELS[language].gap({ seconds: gapSeconds(entry), reason: entry.reason }), entry)
      : entry.words;
  const readable = words
    .map(({ text, startMs, endMs }) => ({
      text: visibleLine(text),
      startMs: relative(startMs),
      endMs: relative(endMs),
    }))
    .filter(({ text }) => text !== '');
  return splitIntoCues(readable, {
    nextStartMs: relative(nextStartMs),
    labelColumns: inText === '' ? 0 : textColumns(inText) + 1,
  }).map((cue) => ({
    ...cue,
    ...(speaker === undefined ? {} : { speaker }),
    speakerKey: namesSpeakers ? speakerKey(entry.speaker) : '',
    ...(inText === '' ? {} : { lines: withLabel(cue.lines, inText) }),
    isByPerson: entry.kind === 'segment' && entry.author !== undefined,
    isGap: entry.kind === 'gap',
  }));
}

/** A note is there for all the time that it is about. */
const noteWords = (note: string, { startMs, endMs }: { startMs: number; endMs: number }) =>
  note.split(' ').map((text) => ({ text, startMs, endMs }));

export const gapSeconds = (gap: { startMs: number; endMs: number }): number =>
  Math.max(1, Math.round((gap.endMs - gap.startMs) / 1000));

function withLabel(lines: Cue['lines'], label: string): Cue['lines'] {
  const [first = [], ...others] = lines;
  const startMs = first[0]?.startMs ?? 0;
  return [[{ text: label, startMs, endMs: startMs, continues: false }, ...first], ...others];
}

function insertByStart(cues: Cue[], cue: Cue): void {
  const before = cues.findLastIndex(({ startMs }) => startMs <= cue.startMs);
  cues.splice(before + 1, 0, cue);
}

/** A line as it is read. */
export const lineText = (line: readonly CuePiece[]): string =>
  line.map(({ text, continues }, index) => (index === 0 || continues ? text : ` ${text}`)).join('');
