import { CaptionError } from './errors.js';

/**
 * What can be wrong with a message, on the way out as on the way in:
 * - `message_too_large`: more than `MAX_MESSAGE_BYTES`. Split it (`splitDelta`, `snapshotMessages`).
 * - `message_not_json`: the bytes are not UTF-8, or the text is not JSON.
 * - `message_malformed`: a field is missing or breaks a rule; the error's message names the path of the field.
 * - `version_unsupported`: another version of the protocol. The other side or this one must be updated.
 */
export type CodecErrorCode =
  'message_too_large' | 'message_not_json' | 'message_malformed' | 'version_unsupported';

/**
 * The only error that `encodeMessage`, `decodeMessage` and `splitDelta` throw. Never retryable: the same message
 * fails again. Its text names fields, types and lengths, and never quotes captions, so it may be logged.
 */
export class CodecError extends CaptionError {
  constructor(code: CodecErrorCode, message: string) {
    super(code, message);
    this.name = 'CodecError';
  }
}

/** The error for the field at `path` (empty for the message itself), which must be what `rule` says and is `value`. */
export const malformedField = (path: string, rule: string, value: unknown): CodecError =>
  new CodecError(
    'message_malformed',
    `Malformed message: ${path === '' ? 'the message' : path} must be ${rule}, but is ${describe(value)}.`,
  );

/** What a wrong value is, without quoting it: it may be what somebody said. */
const describe = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
};
