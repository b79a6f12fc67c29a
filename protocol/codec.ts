import { MAX_MESSAGE_BYTES, PROTOCOL_VERSION, type CaptionMessage } from './caption.js';
import { CodecError } from './codec-error.js';
import { FieldReader } from './field-reader.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';
import { readMessage } from './wire-message.js';

const ANY_VERSION = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * The bytes of one message: `{"v":1,"kind":…}` in UTF-8, fields in a fixed order, fields that the contract does not
 * know left out. Checks the message as strictly as `decodeMessage`.
 * Throws `CodecError`: `message_malformed`, or `message_too_large` above `MAX_MESSAGE_BYTES`.
 */
export const encodeMessage = (message: CaptionMessage): Uint8Array<ArrayBuffer> => {
  const fields = new FieldReader(message);
  const checked = readMessage(fields);
  if (checked === undefined) throw fields.malformed('kind', 'a kind of version 1');
  const bytes = encodeUtf8(JSON.stringify({ v: PROTOCOL_VERSION, ...checked }));
  if (bytes.length > MAX_MESSAGE_BYTES) throw tooLarge(bytes.length);
  return bytes;
};

/**
 * The message in `bytes`, equal to what was encoded; fields that version 1 does not know are dropped.
 * Undefined for a kind that version 1 does not know: ignore the message.
 * Throws `CodecError` (all four codes) and nothing else, whatever the bytes are.
 */
export const decodeMessage = (bytes: Uint8Array | string): CaptionMessage | undefined => {
  const fields = new FieldReader(parseJson(bytes));
  const version = fields.integer('v', ANY_VERSION);
  if (version !== PROTOCOL_VERSION) {
    throw new CodecError(
      'version_unsupported',
      `The caption message has protocol version ${version}; this side speaks version ${PROTOCOL_VERSION}. ` +
        'Update the older side.',
    );
  }
  return readMessage(fields);
};

const parseJson = (bytes: Uint8Array | string): unknown => {
  const sizeBytes = typeof bytes === 'string' ? textBytes(bytes) : bytes.length;
  if (sizeBytes > MAX_MESSAGE_BYTES) throw tooLarge(sizeBytes);
  try {
    return JSON.parse(typeof bytes === 'string' ? bytes : decodeUtf8(bytes)) as unknown;
  } catch {
    // The engine's own error is left out on purpose: it quotes the text, which may be what somebody said.
    throw new CodecError(
      'message_not_json',
      `A caption message of ${sizeBytes} bytes is not JSON in UTF-8. Check that nothing else is sent on this road.`,
    );
  }
};

/** A text has at least as many bytes as UTF-16 units, so a huge one need not be encoded to be refused. */
const textBytes = (text: string): number =>
  text.length > MAX_MESSAGE_BYTES ? text.length : encodeUtf8(text).length;

const tooLarge = (sizeBytes: number): CodecError =>
  new CodecError(
    'message_too_large',
    `A caption message has at least ${sizeBytes} bytes; the limit is ${MAX_MESSAGE_BYTES}. ` +
      'Split deltas with splitDelta and snapshots with snapshotMessages.',
  );
