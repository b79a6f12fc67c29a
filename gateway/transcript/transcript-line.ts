/**
 * One entry as one line of JSON: how transcripts are kept in memory and on disk. The first line of a file tells the meeting,
 * the others what was said, in the order in which it became final:
 *
 *   {"kind":"meeting","version":1,"room":"council","meeting":"m1x2…","startedAtMs":1700000000000,"webhook":true,"gateway":"0a1b…"}
 *   {"kind":"segment","segment":"s1","speaker":{"identity":"ana","name":"Ana"},"language":"en","words":[["Hello,",1200,340,0.91]]}
 *   {"kind":"gap","speaker":{…},"startMs":2000,"endMs":3000,"reason":"overloaded"}
 *   {"kind":"lost","entries":3}                                          the disk failed for a while
 *   {"kind":"end","endedAtMs":1700000060000,"reason":"everybody_left"}
 *   {"kind":"webhook","outcome":"delivered","atMs":1700000061000}
 *
 * A word is its text, its beginning in milliseconds since the meeting began, its duration, and its confidence if known.
 */
import {
  epochMs,
  type CaptionWord,
  GAP_REASONS,
  participantIdentity,
  type RoomName,
  roomName,
  segmentId,
  type Speaker,
} from '../../protocol/index.js';
import type { Author, TranscriptEntry } from './transcript-entry.js';

const LINE_VERSION = 1;

export type MeetingEndReason = 'everybody_left' | 'gateway_stopped' | 'gateway_died';
export type WebhookOutcome = 'delivered' | 'refused' | 'given_up';

export interface MeetingEnd {
  readonly endedAtMs: number;
  readonly reason: MeetingEndReason;
}

export interface MeetingLine {
  readonly kind: 'meeting';
  readonly room: RoomName;
  readonly meeting: string;
  readonly startedAtMs: number;
  /** Whether somebody is to be told of its end. */
  readonly webhook: boolean;
  /** Which gateway writes the file, as `GatewayPresence` has it; empty where nothing is written. */
  readonly gateway: string;
}
export type TranscriptLine =
  | MeetingLine
  | { readonly kind: 'entry'; readonly entry: TranscriptEntry }
  | { readonly kind: 'lost'; readonly entries: number }
  | ({ readonly kind: 'end' } & MeetingEnd)
  | { readonly kind: 'webhook'; readonly outcome: WebhookOutcome; readonly atMs: number };

/** Without the line break. */
export function encodeLine(line: TranscriptLine, startedAtMs: number): string {
  switch (line.kind) {
    case 'meeting': {
      const { kind, ...fields } = line;
      return JSON.stringify({ kind, version: LINE_VERSION, ...fields });
    }
    case 'entry':
      return JSON.stringify(encodeEntry(line.entry, startedAtMs));
    case 'lost':
    case 'end':
    case 'webhook':
      return JSON.stringify(line);
  }
}

function encodeEntry(entry: TranscriptEntry, startedAtMs: number): object {
  const { kind, speaker } = entry;
  if (kind === 'gap') {
    const times = { startMs: entry.startMs - startedAtMs, endMs: entry.endMs - startedAtMs };
    return { kind, speaker, ...times, reason: entry.reason };
  }
  const { segment, author, language, words } = entry;
  return {
    kind,
    segment,
    speaker,
    ...(author === undefined ? {} : { author }),
    language,
    words: words.map(({ text, startMs, endMs, confidence }) => [
      text,
      startMs - startedAtMs,
      endMs - startMs,
      ...(confidence === undefined ? [] : [confidence]),
    ]),
  };
}

/** Undefined for a line that is none of ours, for instance one that was cut off. */
export function decodeLine(text: string, startedAtMs: number): TranscriptLine | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(fields)) return undefined;
  switch (fields['kind']) {
    case 'meeting':
      return decodeMeeting(fields);
    case 'segment':
    case 'gap': {
      const entry = decodeEntry(fields, startedAtMs);
      return entry === undefined ? undefined : { kind: 'entry', entry };
    }
    case 'lost':
      return isNumber(fields['entries']) ? { kind: 'lost', entries: fields['entries'] } : undefined;
    case 'end': {
      const reason = END_REASONS.find((known) => known === fields['reason']);
      const { endedAtMs } = fields;
      return reason === undefined || !isNumber(endedAtMs) ? undefined : { kind: 'end', endedAtMs, reason };
    }
    case 'webhook': {
      const outcome = OUTCOMES.find((known) => known === fields['outcome']);
      const { atMs } = fields;
      return outcome === undefined || !isNumber(atMs) ? undefined : { kind: 'webhook', outcome, atMs };
    }
    default:
      return undefined;
  }
}

const END_REASONS: readonly MeetingEndReason[] = ['everybody_left', 'gateway_stopped', 'gateway_died'];
const OUTCOMES: readonly WebhookOutcome[] = ['delivered', 'refused', 'given_up'];

function decodeMeeting(fields: Fields): MeetingLine | undefined {
  const { version, room, meeting, startedAtMs, webhook, gateway } = fields;
  const isOurs = version === LINE_VERSION && isText(room) && isText(meeting) && isNumber(startedAtMs);
  if (!isOurs) return undefined;
  return {
    kind: 'meeting',
    room: roomName(room),
    meeting,
    startedAtMs,
    webhook: webhook === true,
    gateway: isText(gateway) ? gateway : '',
  };
}

function decodeEntry(fields: Fields, startedAtMs: number): TranscriptEntry | undefined {
  const speaker = decodeSpeaker(fields['speaker']);
  if (speaker === undefined) return undefined;
  if (fields['kind'] === 'gap') {
    const { startMs, endMs } = fields;
    const reason = GAP_REASONS.find((known) => known === fields['reason']);
    if (reason === undefined || !isNumber(startMs) || !isNumber(endMs)) return undefined;
    const times = { startMs: epochMs(startMs + startedAtMs), endMs: epochMs(endMs + startedAtMs) };
    return { kind: 'gap', speaker, ...times, reason };
  }
  const { segment, language, words } = fields;
  if (!isText(segment) || !isText(language) || !Array.isArray(words)) return undefined;
  const decoded = words.map((word: unknown) => decodeWord(word, startedAtMs));
  const author = decodeAuthor(fields['author']);
  const whole = decoded.filter((word) => word !== undefined);
  if (whole.length === 0 || whole.length < decoded.length) return undefined;
  return {
    kind: 'segment',
    segment: segmentId(segment),
    speaker,
    ...(author === undefined ? {} : { author }),
    language,
    words: whole,
  };
}

function decodeWord(word: unknown, startedAtMs: number): CaptionWord | undefined {
  if (!Array.isArray(word)) return undefined;
  const [text, startMs, durationMs, confidence] = word as unknown[];
  if (!isText(text) || !isNumber(startMs) || !isNumber(durationMs)) return undefined;
  return {
    text,
    startMs: epochMs(startedAtMs + startMs),
    endMs: epochMs(startedAtMs + startMs + durationMs),
    ...(isNumber(confidence) ? { confidence } : {}),
  };
}

function decodeSpeaker(value: unknown): Speaker | undefined {
  if (!isRecord(value) || !isText(value['identity']) || !isText(value['name'])) return undefined;
  const { label } = value;
  return {
    identity: participantIdentity(value['identity']),
    name: value['name'],
    ...(isText(label) ? { label } : {}),
  };
}

const decodeAuthor = (value: unknown): Author | undefined =>
  isRecord(value) && isText(value['identity']) && isText(value['name'])
    ? { identity: value['identity'], name: value['name'] }
    : undefined;

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
