/** WebVTT (W3C), SubRip and plain text from segments of one file. Cues of several speakers are ordered by time. */
import type { TranscribedSegment, TranscribedWord } from './transcribe-pcm.js';

/** What subtitles usually keep to: two lines of 42 characters. */
const MAX_CUE_CHARACTERS = 84;
const MAX_LINE_CHARACTERS = 42;

export interface SubtitleSpeaker {
  readonly speaker?: string;
  readonly segments: readonly TranscribedSegment[];
}

interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly speaker?: string;
}

export function formatText(segments: readonly TranscribedSegment[]): string {
  return segments.map(({ text }) => `${text}\n`).join('');
}

export function formatWebVtt(speakers: readonly SubtitleSpeaker[]): string {
  const cues = cuesOf(speakers).map((cue) => {
    const voice = cue.speaker === undefined ? '' : `<v ${escapeMarkup(cue.speaker)}>`;
    return `${timestamp(cue.startMs, '.')} --> ${timestamp(cue.endMs, '.')}\n${voice}${escapeMarkup(cue.text)}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

export function formatSrt(speakers: readonly SubtitleSpeaker[]): string {
  const cues = cuesOf(speakers).map((cue, index) => {
    const text = cue.speaker === undefined ? cue.text : `${cue.speaker}: ${cue.text}`;
    return `${index + 1}\n${timestamp(cue.startMs, ',')} --> ${timestamp(cue.endMs, ',')}\n${text}\n`;
  });
  return cues.join('\n');
}

function cuesOf(speakers: readonly SubtitleSpeaker[]): Cue[] {
  return speakers
    .flatMap(({ speaker, segments }) =>
      segments.flatMap(({ words }) =>
        cueGroups(words).map((group) => ({
          startMs: group[0]?.startMs ?? 0,
          // A cue of no duration would not be shown.
          endMs: Math.max(group.at(-1)?.endMs ?? 0, (group[0]?.startMs ?? 0) + 1),
          text: inLines(group.map(({ text }) => text)),
          ...(speaker === undefined ? {} : { speaker }),
        })),
      ),
    )
    .sort((a, b) => a.startMs - b.startMs);
}

function cueGroups(words: readonly TranscribedWord[]): TranscribedWord[][] {
  const groups: TranscribedWord[][] = [];
  let characters = Infinity;
  for (const word of words) {
    characters += word.text.length + 1;
    if (characters > MAX_CUE_CHARACTERS) {
      groups.push([]);
      characters = word.text.length;
    }
    groups.at(-1)?.push(word);
  }
  return groups;
}

function inLines(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > MAX_LINE_CHARACTERS) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

const escapeMarkup = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function timestamp(timeMs: number, decimalMark: string): string {
  const pad = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0');
  const seconds = timeMs / 1000;
  return `${pad(seconds / 3600, 2)}:${pad((seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}${decimalMark}${pad(timeMs % 1000, 3)}`;
}
