/**
 * What a speaker's client and the gateway say to each other on `/v1/ingest`, version 1. Text frames carry these messages
 * as JSON; binary frames carry audio: PCM, signed 16 bit, little endian, mono, whole samples.
 *
 * Positions are counted in samples at the client's own `sampleRateHz`, from the beginning of its stream.
 */
import { type AccessMessage, readAccessMessage, readTokenMessage, type TokenMessage } from './access.js';
import { CodecError } from './codec-error.js';
import { CaptionError } from './errors.js';
import type { FieldReader } from './field-reader.js';
import { readJsonMessage } from './json-message.js';
import { MAX_NAME_CHARS } from './limits.js';
import { participantIdentity, type ParticipantIdentity, roomName, type RoomName } from './units.js';

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
  /**
   * Goes on with a stream whose connection dropped; `fromSample` is the first sample the client still has. A gateway that has this
   * stream no more begins another one: the client sends everything again that was not final.
   */
  readonly resume?: { readonly stream: string; readonly fromSample: number };
}

export type IngestClientMessage =
  | IngestHello
  /** No audio comes for a while; what was said is finished now. Audio that comes before `unmute` is not captioned. */
  | { readonly kind: 'mute' }
  | { readonly kind: 'unmute' }
  /**
   * The audio that follows was spoken so long ago: for audio that is sent later than it was spoken, and again where it goes on after a
   * pause. Words then get the time at which they were said. Optional.
   */
  | { readonly kind: 'spoken'; readonly behindMs: number }
  | { readonly kind: 'vocabulary'; readonly vocabulary: readonly string[] }
  | TokenMessage
  /** The speaker leaves. Answered by `ended` when the last final is out. */
  | { readonly kind: 'end' };

export type IngestServerMessage =
  /**
   * Send audio from `expectSample` on. `stream` is what `resume` wants; keep it secret. `finalThroughSample` is of the stream that
   * `resume` named: everything before it is final, and need not be sent again whatever stream this is. Absent where this gateway
   * does not know that stream.
   */
  | {
      readonly kind: 'welcome';
      readonly version: number;
      readonly stream: string;
      readonly expectSample: number;
      readonly finalThroughSample?: number;
    }
  /**
   * About once a second while audio comes, and at once when a final was published. `behindMs`: audio that was received but has not led
   * to text yet. What was said before `finalThroughSample` has been published as finals, or was silence, or was reported as a gap: a
   * client that keeps the audio after it can send that again to another gateway when this one dies. Absent from older gateways.
   */
  | {
      readonly kind: 'ack';
      readonly receivedThroughSample: number;
      readonly recognisedThroughSample: number;
      readonly finalThroughSample?: number;
      readonly behindMs: number;
    }
  | { readonly kind: 'ended'; readonly receivedThroughSample: number }
  /** After `welcome`, and in answer to `token`. */
  | AccessMessage
  /** Something of what was asked is not done; the stream goes on. */
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  /** The connection is closed after this. With `retryable`, connect again and resume. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean };

const NAME = { min: 1, max: MAX_NAME_CHARS };
const NAME_OR_EMPTY = { min: 0, max: MAX_NAME_CHARS };
const PLACE = { min: 0, max: Number.MAX_SAFE_INTEGER };
const PHRASES = {
  max: MAX_INGEST_TEXT_BYTES,
  each: { min: 0, max: MAX_INGEST_TEXT_BYTES },
};
const EXPLANATION = { min: 0, max: MAX_INGEST_TEXT_BYTES };

/**
 * Reads a text frame from a client. Throws CaptionError `message_too_large`, `message_not_json`, `message_malformed`,
 * `version_unsupported` or `sample_rate_unsupported`, and nothing else. Unknown fields are ignored; so is an unknown kind (undefined).
 */
export function decodeIngestMessage(text: string): IngestClientMessage | undefined {
  const fields = readJsonMessage(text, MAX_INGEST_TEXT_BYTES);
  const kind = fields.text('kind', NAME);
  switch (kind) {
    case 'hello':
      return readHello(fields);
    case 'mute':
    case 'unmute':
    case 'end':
      return { kind };
    case 'spoken':
      return { kind, behindMs: fields.integer('behindMs', PLACE) };
    case 'vocabulary':
      return { kind, vocabulary: fields.texts('vocabulary', PHRASES) };
    case 'token':
      return readTokenMessage(fields);
    default:
      return undefined;
  }
}

/** Reads what the gateway answered; errors and unknown kinds as `decodeIngestMessage`. */
export function decodeIngestAnswer(text: string): IngestServerMessage | undefined {
  const fields = readJsonMessage(text, MAX_INGEST_TEXT_BYTES);
  const kind = fields.text('kind', NAME);
  switch (kind) {
    case 'welcome':
      checkVersion(fields, 'welcome');
      return {
        kind,
        version: INGEST_VERSION,
        stream: fields.text('stream', NAME),
        expectSample: fields.integer('expectSample', PLACE),
        ...readFinalThrough(fields),
      };
    case 'ack':
      return {
        kind,
        receivedThroughSample: fields.integer('receivedThroughSample', PLACE),
        recognisedThroughSample: fields.integer('recognisedThroughSample', PLACE),
        ...readFinalThrough(fields),
        behindMs: fields.integer('behindMs', PLACE),
      };
    case 'access':
      return readAccessMessage(fields);
    case 'ended':
      return { kind, receivedThroughSample: fields.integer('receivedThroughSample', PLACE) };
    case 'warning':
      return { kind, code: fields.text('code', NAME), message: fields.text('message', EXPLANATION) };
    case 'error':
      return {
        kind,
        code: fields.text('code', NAME),
        message: fields.text('message', EXPLANATION),
        retryable: fields.flag('retryable'),
      };
    default:
      return undefined;
  }
}

function readHello(fields: FieldReader): IngestHello {
  checkVersion(fields, 'hello');
  const speaker = fields.object('speaker');
  const language = fields.optionalLanguage('language');
  const resume = fields.optionalObject('resume');
  return {
    kind: 'hello',
    version: INGEST_VERSION,
    room: roomName(fields.text('room', NAME)),
    speaker: {
      identity: participantIdentity(speaker.text('identity', NAME)),
      name: speaker.optionalText('name', NAME_OR_EMPTY) ?? '',
    },
    sampleRateHz: readSampleRate(fields),
    ...(language === undefined ? {} : { language }),
    ...(fields.has('vocabulary') ? { vocabulary: fields.texts('vocabulary', PHRASES) } : {}),
    ...(resume === undefined
      ? {}
      : { resume: { stream: resume.text('stream', NAME), fromSample: resume.integer('fromSample', PLACE) } }),
  };
}

function readSampleRate(fields: FieldReader): IngestSampleRateHz {
  const rate = INGEST_SAMPLE_RATES_HZ.find((supported) => fields.is('sampleRateHz', supported));
  if (rate !== undefined) return rate;
  throw new CaptionError(
    'sample_rate_unsupported',
    `hello.sampleRateHz must be one of ${INGEST_SAMPLE_RATES_HZ.join(', ')}.`,
  );
}

function readFinalThrough(fields: FieldReader): { readonly finalThroughSample?: number } {
  const finalThroughSample = fields.optionalInteger('finalThroughSample', PLACE);
  return finalThroughSample === undefined ? {} : { finalThroughSample };
}

function checkVersion(fields: FieldReader, kind: 'hello' | 'welcome'): void {
  if (fields.is('version', INGEST_VERSION)) return;
  throw new CodecError('version_unsupported', `${kind}.version must be ${INGEST_VERSION}.`);
}
