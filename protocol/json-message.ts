import { CodecError } from './codec-error.js';
import { FieldReader } from './field-reader.js';
import { encodeUtf8 } from './utf8.js';

/** Reads the JSON of a text frame of `/v1/ingest` or `/v1/captioner`; null counts as absent there. Throws `CodecError` `message_too_large`, `message_not_json` or `message_malformed`. */
export function readJsonMessage(text: string, maxBytes: number): FieldReader {
  // A text has at least as many bytes as UTF-16 units, so a huge one need not be encoded to be refused.
  if (text.length > maxBytes || encodeUtf8(text).length > maxBytes)
    throw new CodecError('message_too_large', `A message may have ${maxBytes} bytes.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The engine's own error would quote what somebody wrote.
    throw new CodecError('message_not_json', 'A text frame must hold one JSON message.');
  }
  return new FieldReader(value, { nullIsAbsent: true });
}
