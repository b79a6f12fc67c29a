/**
 * What a person who writes captions and the gateway say to each other on `/v1/captioner?room=NAME`, version 1: JSON in text
 * frames. A person writes lines, numbered upwards. A line may be sent again and again while it is written, and corrected
 * until it settles; viewers see every version at once.
 *
 *   written ──isCommitted, or a later line──► committed ──settle, time, or enough later lines──► settled
 */
import { type AccessMessage, readAccessMessage, readTokenMessage, type TokenMessage } from './access.js';
import { CodecError } from './codec-error.js';
import type { FieldReader } from './field-reader.js';
import { readJsonMessage } from './json-message.js';
import { MAX_NAME_CHARS } from './limits.js';
import { participantIdentity, type ParticipantIdentity } from './units.js';

export const CAPTIONER_VERSION = 1;
/** A message is at most this long, both ways. */
export const MAX_CAPTIONER_MESSAGE_BYTES = 65_536;
/** Longest text of one line, in UTF-16 code units. */
export const MAX_CAPTIONER_LINE_CHARS = 1000;
/** Most committed lines that can still be corrected. */
export const MAX_CORRECTABLE_LINES = 10;
export const DEFAULT_CORRECTABLE_LINES = 3;
/** Longest time for which a committed line can be corrected. */
export const MAX_SETTLE_AFTER_MS = 120_000;
export const DEFAULT_SETTLE_AFTER_MS = 15_000;
/** Most speakers that are replaced by name. */
export const MAX_REPLACED_SPEAKERS = 100;

/** Whose recognition is switched off while the captioner is there. Nobody: an empty list. */
export type ReplacedSpeakers = 'everybody' | readonly ParticipantIdentity[];

/** First message of every connection. */
export interface CaptionerHello {
  readonly kind: 'hello';
  readonly version: number;
  readonly captioner: { readonly identity: ParticipantIdentity; readonly name: string };
  /** BCP 47; default the room's. */
  readonly language?: string;
  readonly replaces: ReplacedSpeakers;
  /** Committed lines that can be corrected; 0 for none. Default `DEFAULT_CORRECTABLE_LINES`. */
  readonly correctableLines: number;
  /** A committed line settles when it was not changed for so long; 0 at once. Default `DEFAULT_SETTLE_AFTER_MS`. */
  readonly settleAfterMs: number;
  /** Goes on with a session whose connection dropped: line numbers keep their meaning. */
  readonly session?: string;
}

/** The present text of a line: the first, a longer or a corrected one. */
export interface CaptionerLine {
  readonly kind: 'line';
  /** 1 or more. A number above all others begins a line and commits those before. */
  readonly line: number;
  /** May be empty: the line is taken back. */
  readonly text: string;
  /** Whose words these are: somebody whose recognition is replaced. Absent: the captioner's own name stands there. */
  readonly as?: ParticipantIdentity;
  readonly isCommitted: boolean;
}

export type CaptionerClientMessage =
  | CaptionerHello
  | CaptionerLine
  /** This line and all before it are right. */
  | { readonly kind: 'settle'; readonly line: number }
  | { readonly kind: 'replace'; readonly replaces: ReplacedSpeakers }
  | TokenMessage
  /** The captioner leaves: everything settles, and recognition goes on. Answered by `ended`. */
  | { readonly kind: 'end' };

export interface CaptionerSpeaker {
  readonly identity: ParticipantIdentity;
  readonly name: string;
  readonly isReplaced: boolean;
}

export type CaptionerServerMessage =
  /** Recognition of those who are replaced has finished what was being said: write, from line `nextLine` on. */
  | {
      readonly kind: 'welcome';
      readonly version: number;
      readonly session: string;
      readonly nextLine: number;
      readonly correctableLines: number;
      readonly settleAfterMs: number;
    }
  /** Those whose voices reach the gateway; at most `MAX_REPLACED_SPEAKERS` of them. After `welcome`, and when it changes. */
  | { readonly kind: 'speakers'; readonly speakers: readonly CaptionerSpeaker[] }
  /** Viewers were sent what the last message about this line said. */
  | { readonly kind: 'shown'; readonly line: number }
  /** Nothing changes this line any more; `text` is what stands. */
  | { readonly kind: 'settled'; readonly line: number; readonly text: string }
  | { readonly kind: 'ended' }
  /** After `welcome`, and in answer to `token`. */
  | AccessMessage
  /** The connection is closed after this. With `retryable`, connect again with the session. */
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly retryable: boolean };

const NAME = { min: 1, max: MAX_NAME_CHARS };
const NAME_OR_EMPTY = { min: 0, max: MAX_NAME_CHARS };
const LINE_NUMBER = { min: 1, max: Number.MAX_SAFE_INTEGER };
const SESSION = { min: 1, max: 64 };
const LINE_TEXT = { min: 0, max: MAX_CAPTIONER_LINE_CHARS };
const ANY_VERSION = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * Reads what a captioner's client sent. Throws `CodecError` (all four codes) and nothing else. Unknown fields are ignored;
 * so is an unknown kind (undefined).
 */
export function decodeCaptionerMessage(text: string): CaptionerClientMessage | undefined {
  const fields = readJsonMessage(text, MAX_CAPTIONER_MESSAGE_BYTES);
  const kind = fields.text('kind', NAME);
  switch (kind) {
    case 'hello':
      return readHello(fields);
    case 'line': {
      const as = fields.optionalText('as', NAME);
      return {
        kind,
        line: fields.integer('line', LINE_NUMBER),
        text: fields.text('text', LINE_TEXT),
        ...(as === undefined ? {} : { as: participantIdentity(as) }),
        isCommitted: fields.optionalFlag('isCommitted'),
      };
    }
    case 'settle':
      return { kind, line: fields.integer('line', LINE_NUMBER) };
    case 'replace':
      return { kind, replaces: readReplaces(fields) };
    case 'token':
      return readTokenMessage(fields);
    case 'end':
      return { kind };
    default:
      return undefined;
  }
}

function readHello(fields: FieldReader): CaptionerHello {
  checkVersion(fields);
  const captioner = fields.object('captioner');
  const language = fields.optionalLanguage('language');
  const session = fields.optionalText('session', SESSION);
  return {
    kind: 'hello',
    version: CAPTIONER_VERSION,
    captioner: {
      identity: participantIdentity(captioner.text('identity', NAME)),
      name: captioner.optionalText('name', NAME_OR_EMPTY) ?? '',
    },
    ...(language === undefined ? {} : { language }),
    replaces: fields.has('replaces') ? readReplaces(fields) : [],
    correctableLines:
      fields.optionalInteger('correctableLines', { min: 0, max: MAX_CORRECTABLE_LINES }) ??
      DEFAULT_CORRECTABLE_LINES,
    settleAfterMs:
      fields.optionalInteger('settleAfterMs', { min: 0, max: MAX_SETTLE_AFTER_MS }) ??
      DEFAULT_SETTLE_AFTER_MS,
    ...(session === undefined ? {} : { session }),
  };
}

function readReplaces(fields: FieldReader): ReplacedSpeakers {
  if (fields.is('replaces', 'everybody')) return 'everybody';
  return fields.texts('replaces', { max: MAX_REPLACED_SPEAKERS, each: NAME }).map(participantIdentity);
}

/** Reads what the gateway answered; errors and unknown kinds as `decodeCaptionerMessage`. */
export function decodeCaptionerAnswer(text: string): CaptionerServerMessage | undefined {
  const fields = readJsonMessage(text, MAX_CAPTIONER_MESSAGE_BYTES);
  const kind = fields.text('kind', NAME);
  switch (kind) {
    case 'welcome':
      checkVersion(fields);
      return {
        kind,
        version: CAPTIONER_VERSION,
        session: fields.text('session', SESSION),
        nextLine: fields.integer('nextLine', LINE_NUMBER),
        correctableLines: fields.integer('correctableLines', { min: 0, max: MAX_CORRECTABLE_LINES }),
        settleAfterMs: fields.integer('settleAfterMs', { min: 0, max: MAX_SETTLE_AFTER_MS }),
      };
    case 'speakers':
      return {
        kind,
        speakers: fields.list('speakers', (speaker) => ({
          identity: participantIdentity(speaker.text('identity', NAME)),
          name: speaker.text('name', NAME_OR_EMPTY),
          isReplaced: speaker.flag('isReplaced'),
        })),
      };
    case 'shown':
      return { kind, line: fields.integer('line', LINE_NUMBER) };
    case 'settled':
      return { kind, line: fields.integer('line', LINE_NUMBER), text: fields.text('text', LINE_TEXT) };
    case 'ended':
      return { kind };
    case 'access':
      return readAccessMessage(fields);
    case 'error':
      return {
        kind,
        code: fields.text('code', NAME),
        message: fields.text('message', { min: 0, max: 1000 }),
        retryable: fields.flag('retryable'),
      };
    default:
      return undefined;
  }
}

function checkVersion(fields: FieldReader): void {
  if (fields.integer('version', ANY_VERSION) === CAPTIONER_VERSION) return;
  throw new CodecError('version_unsupported', `The captioner's version must be ${CAPTIONER_VERSION}.`);
}
