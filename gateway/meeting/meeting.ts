/** A meeting to play: who says what, and when. From a timeline in `fixtures/meetings`, or one WAV file per speaker. */
import { basename, dirname, extname, resolve } from 'node:path';
import {
  CaptionError,
  errorMessage,
  msToSamples,
  SAMPLE_RATE_HZ,
  samplesToMs,
} from '../../protocol/index.js';
import { mixToMono, readTextFile, readWavFile, toSixteenKilohertz } from '../../asr/index.js';

/** A word that was really said. Times in milliseconds from the beginning of the meeting. */
export interface SpokenWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Everything one participant says, with the silence in between. */
export interface SpeakerTrack {
  readonly identity: string;
  readonly name: string;
  /** 16 kHz mono; as long as the meeting. */
  readonly pcm: Int16Array;
  /** Empty when it is not known what was said. */
  readonly spoken: readonly SpokenWord[];
}

export interface Meeting {
  readonly title: string;
  readonly language: string;
  readonly durationMs: number;
  readonly tracks: readonly SpeakerTrack[];
}

interface TimelineFile {
  readonly title: string;
  readonly language: string;
  readonly durationMs: number;
  readonly speakers: readonly { readonly identity: string; readonly name: string }[];
  readonly utterances: readonly {
    readonly speaker: string;
    readonly file: string;
    readonly startMs: number;
    readonly words: readonly (readonly [string, number, number])[];
  }[];
}

/** Throws CaptionError `usage_meeting_invalid`, and what reading WAV files throws. */
export async function loadMeeting(path: string): Promise<Meeting> {
  const timeline = await readTimeline(path);
  const lengthSamples = msToSamples(timeline.durationMs);
  const tracks = await Promise.all(
    timeline.speakers.map(async ({ identity, name }) => {
      const pcm = new Int16Array(lengthSamples);
      const spoken: SpokenWord[] = [];
      for (const utterance of timeline.utterances) {
        if (utterance.speaker !== identity) continue;
        const speech = await readSpeech(resolve(dirname(path), utterance.file));
        const start = msToSamples(utterance.startMs);
        pcm.set(speech.subarray(0, Math.max(0, lengthSamples - start)), start);
        for (const [text, startS, endS] of utterance.words) {
          spoken.push({
            text,
            startMs: utterance.startMs + startS * 1000,
            endMs: utterance.startMs + endS * 1000,
          });
        }
      }
      return { identity, name, pcm, spoken };
    }),
  );
  return { title: timeline.title, language: timeline.language, durationMs: timeline.durationMs, tracks };
}

/** One participant per file, all of whom begin at once. Throws what reading WAV files throws. */
export async function meetingOfWavFiles(paths: readonly string[]): Promise<Meeting> {
  const speeches = await Promise.all(paths.map(readSpeech));
  const lengthSamples = Math.max(0, ...speeches.map((pcm) => pcm.length)) + SAMPLE_RATE_HZ;
  const tracks = speeches.map((speech, index) => {
    const name = basename(paths[index] ?? '', extname(paths[index] ?? ''));
    const pcm = new Int16Array(lengthSamples);
    pcm.set(speech);
    return { identity: `speaker-${index + 1}`, name, pcm, spoken: [] };
  });
  return { title: 'WAV files', language: '', durationMs: samplesToMs(lengthSamples), tracks };
}

/** A WAV file of any rate and number of channels as 16 kHz mono. */
export async function readSpeech(path: string): Promise<Int16Array> {
  const wav = await readWavFile(path);
  return toSixteenKilohertz(mixToMono(wav.channels), wav.sampleRateHz);
}

async function readTimeline(path: string): Promise<TimelineFile> {
  let content: unknown;
  try {
    content = JSON.parse(await readTextFile(path));
  } catch (error) {
    throw new CaptionError('usage_meeting_invalid', `Meeting ${path} cannot be read: ${errorMessage(error)}`);
  }
  if (isTimeline(content)) return content;
  throw new CaptionError(
    'usage_meeting_invalid',
    `${path} is no meeting: it needs title, language, durationMs, speakers and utterances as in fixtures/README.md.`,
  );
}

function isTimeline(value: unknown): value is TimelineFile {
  if (typeof value !== 'object' || value === null) return false;
  const { title, language, durationMs, speakers, utterances } = value as Partial<
    Record<keyof TimelineFile, unknown>
  >;
  return (
    typeof title === 'string' &&
    typeof language === 'string' &&
    typeof durationMs === 'number' &&
    durationMs > 0 &&
    durationMs <= 24 * 3_600_000 &&
    Array.isArray(speakers) &&
    speakers.length > 0 &&
    speakers.every(hasTexts('identity', 'name')) &&
    Array.isArray(utterances) &&
    utterances.every(isUtterance)
  );
}

const hasTexts =
  (...fields: string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    fields.every((field) => typeof (value as Record<string, unknown>)[field] === 'string');

function isUtterance(value: unknown): boolean {
  if (!hasTexts('speaker', 'file')(value)) return false;
  const { startMs, words } = value as { startMs?: unknown; words?: unknown };
  return typeof startMs === 'number' && startMs >= 0 && Array.isArray(words) && words.every(isTimedWord);
}

const isTimedWord = (value: unknown): boolean =>
  Array.isArray(value) &&
  typeof value[0] === 'string' &&
  typeof value[1] === 'number' &&
  typeof value[2] === 'number';
