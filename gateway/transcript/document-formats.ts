/** Text, Markdown and JSON. Written bit by bit, as subtitles are. */
import { shownName, visibleLine } from '../../protocol/index.js';
import { isolated, SpeakerNames, turnKey } from './speaker-names.js';
import { gapSeconds } from './transcript-cues.js';
import { LABELS, type LabelLanguage } from './transcript-labels.js';
import {
  endOf,
  speakerKey,
  startOf,
  type Transcript,
  type TranscriptEntry,
  type TranscriptSegment,
} from './transcript-entry.js';

/** Version of the JSON schema in `transcript.schema.json`. */
export const TRANSCRIPT_JSON_VERSION = 1;
/** What one speaker says goes on in the same paragraph unless there was so long a pause. */
const PARAGRAPH_PAUSE_MS = 30_000;

export interface DocumentOptions {
  /** Of what the project itself says. Default `en`. */
  readonly language?: LabelLanguage;
}

export const segmentText = ({ words }: Pick<TranscriptSegment, 'words'>): string =>
  words
    .map(({ text }) => visibleLine(text))
    .filter((text) => text !== '')
    .join(' ');

/** One line for each segment: when, who, what. */
export function* formatText(transcript: Transcript, options: DocumentOptions = {}): Generator<string> {
  const labels = LABELS[options.language ?? 'en'];
  for (const line of headLines(transcript, options)) yield `${line}\n`;
  yield '\n';
  const names = new SpeakerNames(transcript);
  for (const entry of transcript.entries) {
    const text = entry.kind === 'gap' ? labels.gap(gapOf(entry)) : segmentText(entry);
    yield `[${clock(startOf(entry) - transcript.startedAtMs)}] ${whoOf(entry, names, options)}: ${text}\n`;
  }
}

/** A paragraph for each turn of a speaker. */
export function* formatMarkdown(transcript: Transcript, options: DocumentOptions = {}): Generator<string> {
  const labels = LABELS[options.language ?? 'en'];
  const [title = '', ...facts] = headLines(transcript, options);
  yield `# ${escapeMarkdown(title)}\n\n${facts.map(escapeMarkdown).join('  \n')}\n`;
  const names = new SpeakerNames(transcript);
  let turn: { key: string; endMs: number } | undefined;
  for (const entry of transcript.entries) {
    const who = whoOf(entry, names, options);
    const key = turnKey(entry.speaker, entry.kind === 'gap' ? undefined : entry.author);
    const text =
      entry.kind === 'gap'
        ? `_${escapeMarkdown(labels.gap(gapOf(entry)))}_`
        : escapeMarkdown(segmentText(entry));
    const goesOn = turn?.key === key && startOf(entry) - turn.endMs < PARAGRAPH_PAUSE_MS;
    const head = `\n**${escapeMarkdown(who)}** (${clock(startOf(entry) - transcript.startedAtMs)})  \n`;
    yield `${goesOn ? '' : head}${text}\n`;
    turn = { key, endMs: endOf(entry) };
  }
}

/** The document that `transcript.schema.json` describes. Times in milliseconds from `startedAt`. */
export function* formatJson(transcript: Transcript): Generator<string> {
  const { room = '', meeting = '', startedAtMs, endedAtMs, droppedEntries, entries } = transcript;
  const speakers = new Map(entries.map(({ speaker }) => [speakerKey(speaker), speaker]));
  const names = new SpeakerNames(transcript);
  const numbers = new Map([...speakers.keys()].map((key, index) => [key, index]));
  const head = {
    format: 'caption-gateway.transcript',
    version: TRANSCRIPT_JSON_VERSION,
    room,
    meeting,
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    droppedEntries,
    speakers: [...speakers.values()].map((speaker) => ({ ...speaker, shownAs: names.nameOf(speaker) })),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"entries":[`;
  for (const [index, entry] of entries.entries()) {
    const speaker = numbers.get(speakerKey(entry.speaker)) ?? 0;
    yield `${index === 0 ? '' : ','}\n${JSON.stringify(jsonEntry(entry, { speaker, startedAtMs }))}`;
  }
  yield '\n]}\n';
}

function jsonEntry(entry: TranscriptEntry, context: { speaker: number; startedAtMs: number }): object {
  const { speaker, startedAtMs } = context;
  const times = {
    startMs: Math.max(0, startOf(entry) - startedAtMs),
    endMs: Math.max(0, endOf(entry) - startedAtMs),
  };
  if (entry.kind === 'gap') return { kind: 'gap', speaker, ...times, reason: entry.reason };
  const { segment, author, language, words } = entry;
  return {
    kind: 'segment',
    segment,
    speaker,
    ...(author === undefined ? {} : { author }),
    language,
    ...times,
    text: segmentText(entry),
    words: words.map(({ text, startMs, endMs, confidence }) => ({
      text: visibleLine(text),
      startMs: Math.max(0, startMs - startedAtMs),
      endMs: Math.max(0, endMs - startedAtMs),
      ...(confidence === undefined ? {} : { confidence }),
    })),
  };
}

function headLines(transcript: Transcript, { language = 'en' }: DocumentOptions): string[] {
  const { room, meeting, startedAtMs, endedAtMs, droppedEntries } = transcript;
  const labels = LABELS[language];
  return [
    `${labels.title}: ${room === undefined ? '' : isolated(shownName(room, room))}`,
    `${labels.began(new Date(startedAtMs).toISOString())} (${meeting ?? ''})`,
    endedAtMs === undefined ? labels.goesOn : labels.ended(new Date(endedAtMs).toISOString()),
    ...(droppedEntries === 0 ? [] : [labels.dropped(droppedEntries)]),
  ];
}

function whoOf(entry: TranscriptEntry, names: SpeakerNames, { language = 'en' }: DocumentOptions): string {
  const who = isolated(names.nameOf(entry.speaker));
  if (entry.kind === 'gap' || entry.author === undefined) return who;
  const { author, speaker } = entry;
  if (author.identity === speaker.identity && speaker.label === undefined) return who;
  return `${who} (${LABELS[language].writtenBy(isolated(names.nameOf(author)))})`;
}

const gapOf = (gap: Extract<TranscriptEntry, { kind: 'gap' }>) => ({
  seconds: gapSeconds(gap),
  reason: gap.reason,
});

/** Everything that Markdown or HTML could take for markup. */
const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]<>#+|~!&=$-]/g, '\\$&')
    // A sentence that begins with a number is no list.
    .replace(/^(\d+)([.)])/, '$1\\$2');

function clock(timeMs: number): string {
  const seconds = Math.max(0, Math.floor(timeMs / 1000));
  const pad = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${pad(seconds / 3600)}:${pad((seconds / 60) % 60)}:${pad(seconds % 60)}`;
}
