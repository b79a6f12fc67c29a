/**
 * What a speaker's client and the gateway say to each other on `/v1/ingest`, version 1. Text frames carry these messages
 * as JSON; binary frames carry audio: PCM, signed 16 bit, little endian, mono, whole samples.
 *
 * Positions are counted in samples at the client's own `sampleRateHz`, from the beginning of its stream.
 */
import { type AccessMessage, readTokenMessage, type TokenMessage } from './access.js';
import { CaptionError } from './errors.js';
import { FieldReader } from './field-reader.js';
import { isLanguageTag, LANGUAGE_TAG_RULE } from './language.js';
import { MAX_NAME_CHARS } from './limits.js';
import type { ParticipantIdentity, RoomName } from './units.js';

export const INGEST_VERSION = 1;
export const INGEST_SAMPLE_RATES_HZ = [8000, 16_000, 24_000, 48_000] as const;
export type IngestSampleRateHz = (typeof INGEST_SAMPLE_RATES_HZ)[number];
/** A text message is at most this long. */
export const MAX_INGEST_TEXT_BYTES = 65_536;

/** First message of every connection. */
export interface IngestHello {
  readonly kind: 'hello';
  readonly version: number;
  readonly room: RoomName;
  readonly speaker: { readonly identity: ParticipantIdentity; readonly name: string };
  readonly sampleRateHz: IngestSampleRateHz;
  /** BCP 47; the gateway's model must speak it. */
  readonly language?: string;
  /** Names and terms with the spelling to show; recognition favours them where it can. A `warning` names those it cannot. */
  readonly vocabulary?: readonly string[];
  /** Goes on with a stream whose connection dropped; `fromSample` is the first sample the client still has. */
  readonly resume?: { readonly stream: string; readonly fromSample: number };
}

export type IngestClientMessage =
  | IngestHello
  /** No audio comes for a while; what was said is finished now. */
  | { readonly kind: 'mute' }
  | { readonly kind: 'unmute' }
  | { readonly kind: 'vocabulary'; readonly vocabulary: readonly string[] }
  | TokenMessage
  /** The speaker leaves. Answered by `ended` when the last final is out. */
  | { readonly kind: 'end' };

export type IngestServerMessage =
  /** Send audio from `expectSample` on. `stream` is what `resume` wants; keep it secret. */
  | {
      readonly kind: 'welcome';
      readonly version: number;
      readonly stream: string;
      readonly expectSample: number;
    }
  /** About once a second while audio comes. `behindMs`: audio that was received but has not led to text yet. */
  | {
      readonly kind: 'ack';
      readonly receivedThroughSample: number;
      readonly recognisedThroughSample: number;
      readonly behindMs: number;
    }
  | { readonly kind: 'ended'; readonly receivedThroughSample: number }
  /** After `welcome`, and in answer to `token`. */
  | AccessMessage
  /** Something of what was asked is not done; the stream goes on. */
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  /** The connection is closed after this. With `retryable`, connect again and resume. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean };

const failure = (code: string, message: string): CaptionError => new CaptionError(code, message);

/**
 * Reads a text frame from a client. Throws CaptionError `message_not_json`, `message_malformed`, `version_unsupported`
 * or `sample_rate_unsupported`, and nothing else. Unknown fields are ignored; so is an unknown kind (undefined).
 */
export function decodeIngestMessage(text: string): IngestClientMessage | undefined {
  if (text.length > MAX_INGEST_TEXT_BYTES)
    throw failure('message_too_large', 'A text frame may hold 65,536 characters.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw failure(
      'message_not_json',
      'A text frame must hold one JSON message; audio goes into binary frames.',
    );
  }
  const message = asObject(value, 'message');
  switch (message['kind']) {
    case 'hello':
      return decodeHello(message);
    case 'mute':
    case 'unmute':
    case 'end':
      return { kind: message['kind'] };
    case 'vocabulary':
      return { kind: 'vocabulary', vocabulary: asTexts(message['vocabulary'], 'vocabulary') };
    case 'token':
      return readTokenMessage(new FieldReader(message));
    default:
      asText(message['kind'], 'kind');
      return undefined;
  }
}

function decodeHello(message: Record<string, unknown>): IngestHello {
  if (message['version'] !== INGEST_VERSION) {
    throw failure('version_unsupported', `hello.version must be ${INGEST_VERSION}.`);
  }
  const speaker = asObject(message['speaker'], 'speaker');
  const { language, vocabulary, resume } = message;
  return {
    kind: 'hello',
    version: INGEST_VERSION,
    room: asText(message['room'], 'room') as RoomName,
    speaker: {
      identity: asText(speaker['identity'], 'speaker.identity') as ParticipantIdentity,
      name: speaker['name'] === undefined ? '' : asText(speaker['name'], 'speaker.name', { minChars: 0 }),
    },
    sampleRateHz: asSampleRate(message['sampleRateHz']),
    ...(language === undefined ? {} : { language: asLanguage(language) }),
    ...(vocabulary === undefined ? {} : { vocabulary: asTexts(vocabulary, 'vocabulary') }),
    ...(resume === undefined ? {} : { resume: decodeResume(asObject(resume, 'resume')) }),
  };
}

function decodeResume(resume: Record<string, unknown>): NonNullable<IngestHello['resume']> {
  const fromSample = resume['fromSample'];
  if (typeof fromSample !== 'number' || !Number.isSafeInteger(fromSample) || fromSample < 0) {
    throw failure('message_malformed', 'resume.fromSample must be a whole number, 0 or more.');
  }
  return { stream: asText(resume['stream'], 'resume.stream'), fromSample };
}

function asSampleRate(value: unknown): IngestSampleRateHz {
  const rate = INGEST_SAMPLE_RATES_HZ.find((supported) => supported === value);
  if (rate !== undefined) return rate;
  throw failure(
    'sample_rate_unsupported',
    `hello.sampleRateHz must be one of ${INGEST_SAMPLE_RATES_HZ.join(', ')}.`,
  );
}

function asObject(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw failure('message_malformed', `${field} must be an object.`);
}

function asText(
  value: unknown,
  field: string,
  limits: { minChars?: number; maxChars?: number } = {},
): string {
  const { minChars = 1, maxChars = MAX_NAME_CHARS } = limits;
  if (typeof value === 'string' && value.length >= minChars && value.length <= maxChars) return value;
  throw failure('message_malformed', `${field} must be a text of ${minChars} to ${maxChars} characters.`);
}

function asLanguage(value: unknown): string {
  if (typeof value === 'string' && isLanguageTag(value)) return value;
  throw failure('message_malformed', `hello.language must be ${LANGUAGE_TAG_RULE}.`);
}

function asTexts(value: unknown, field: string): readonly string[] {
  if (Array.isArray(value) && value.every((entry): entry is string => typeof entry === 'string'))
    return value;
  throw failure('message_malformed', `${field} must be a list of texts.`);
}
