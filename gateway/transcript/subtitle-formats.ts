/**
 * WebVTT (W3C, https://www.w3.org/TR/webvtt1/) and SubRip, for live meetings and for `transcribe` alike. Written cue by cue:
 * joined, the pieces are the file.
 */
import { shownName } from '../../protocol/index.js';
import { cuesOf, lineText, type CueOptions, type TranscriptCue } from './transcript-cues.js';
import { LABELS } from './transcript-labels.js';
import { isolated } from './speaker-names.js';
import type { Transcript } from './transcript-entry.js';

/** Ends the times of a cue, wherever it stands; what is left of a longer one must not be one. */
const ARROW = /-{2,}>/g;

/** With speakers as voices, the beginning of every word, and interjections at the side. */
export function* formatWebVtt(transcript: Transcript, options: CueOptions = {}): Generator<string> {
  yield 'WEBVTT\n';
  for (const note of notesOf(transcript, options)) yield `\nNOTE ${note.replace(ARROW, '->')}\n`;
  for (const cue of cuesOf(transcript, options)) {
    const settings = cue.isBesideAnother ? ' position:95% size:90% align:end' : ' align:center size:90%';
    const times = `${timestamp(cue.startMs, '.')} --> ${timestamp(cue.endMs, '.')}`;
    yield `\n${times}${settings}\n${vttVoice(cue)}${vttText(cue)}\n`;
  }
}

/** With names in front, as SubRip knows no voices. */
export function* formatSrt(transcript: Transcript, options: CueOptions = {}): Generator<string> {
  let number = 0;
  for (const cue of cuesOf(transcript, { ...options, namesInText: true })) {
    number += 1;
    const text = cue.lines.map((line) => harmlessInSrt(lineText(line))).join('\n');
    const separator = number === 1 ? '' : '\n';
    yield `${separator}${number}\n${timestamp(cue.startMs, ',')} --> ${timestamp(cue.endMs, ',')}\n${text}\n`;
  }
}

/** For a reader of the file: players do not show them. */
function notesOf(transcript: Transcript, { language = 'en' }: CueOptions): string[] {
  const { room, meeting, startedAtMs, endedAtMs, droppedEntries } = transcript;
  if (meeting === undefined) return [];
  const labels = LABELS[language];
  return [
    `${room === undefined ? '' : isolated(shownName(room, room))} (${meeting})`,
    labels.began(new Date(startedAtMs).toISOString()),
    endedAtMs === undefined ? labels.goesOn : labels.ended(new Date(endedAtMs).toISOString()),
    ...(droppedEntries === 0 ? [] : [labels.dropped(droppedEntries)]),
  ];
}

function vttVoice({ speaker, isByPerson, isGap }: TranscriptCue): string {
  if (speaker === undefined) return '';
  const kind = isGap ? '.gap' : isByPerson ? '.captioner' : '';
  return `<v${kind} ${escapeMarkup(speaker)}>`;
}

/** Times stand within a cue only strictly between its own, and only ever later: the rule of WebVTT. */
function vttText(cue: TranscriptCue): string {
  let toldMs = cue.startMs;
  const lines = cue.lines.map((line) =>
    line.map(({ text, startMs, continues }, index) => {
      const space = index === 0 || continues ? '' : ' ';
      const isTold = startMs > toldMs && startMs < cue.endMs;
      if (isTold) toldMs = startMs;
      return `${space}${isTold ? `<${timestamp(startMs, '.')}>` : ''}${escapeMarkup(text)}`;
    }),
  );
  return lines.map((line) => line.join('')).join('\n');
}

const escapeMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** SubRip has no escapes, and players take tags and override codes for what they are: look-alikes stand in. */
const harmlessInSrt = (text: string): string =>
  text.replace(ARROW, '->').replaceAll('<', '‹').replaceAll('{\\', '(\\');

function timestamp(timeMs: number, decimalMark: string): string {
  const pad = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  const seconds = timeMs / 1000;
  return `${pad(seconds / 3600, 2)}:${pad((seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}${decimalMark}${pad(timeMs % 1000, 3)}`;
}
