/**
 * How messages on roads that others can write to prove that the gateway wrote them: ECDSA with P-256 and SHA-256. The signature
 * is the last field of a message's JSON, `{…}` becomes `{…,"sig":"…"}`, so that viewers that do not know it drop it as any other
 * field. What is signed are the bytes without it. Pure format: who signs is `gateway/livekit/signing`, who checks `caption-key.ts`.
 */
import { decodeBase64url, encodeBase64url } from './base64url.js';
import { MAX_MESSAGE_BYTES } from './caption.js';
import { encodeUtf8 } from './utf8.js';

/** Of a signature in the form of IEEE P1363: two numbers of 32 bytes. */
export const SIGNATURE_BYTES = 64;
const SIGNATURE_CHARS = 86;

/** Separate what is signed here from whatever else the same key might ever sign. */
const MESSAGE_DOMAIN = encodeUtf8('caption-gateway/v1\n');
const STREAM_DOMAIN = 'caption-gateway/stream/v1\n';

const CLOSING_BRACE = 0x7d;
const FIELD_START = encodeUtf8(',"sig":"');
const FIELD_END = encodeUtf8('"}');
/** What takes the place of the closing brace. */
const SUFFIX_BYTES = FIELD_START.length + SIGNATURE_CHARS + FIELD_END.length;

/** Most bytes of a message that can still be signed: what the gateway sends viewers stays below it on every road. */
export const MAX_SIGNABLE_BYTES = MAX_MESSAGE_BYTES - SUFFIX_BYTES + 1;

export interface SignedMessage {
  /** The message as it was before it was signed. */
  readonly content: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** What a signature of the message `content` is made of. */
export const messageToSign = (content: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(MESSAGE_DOMAIN, content);

/** `content` is what `encodeMessage` made; `signature` has `SIGNATURE_BYTES`. */
export const appendSignature = (content: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(
    content.subarray(0, content.length - 1),
    FIELD_START,
    encodeUtf8(encodeBase64url(signature)),
    FIELD_END,
  );

/** Undefined where `bytes` do not end as a signed message does. */
export const splitSignature = (bytes: Uint8Array): SignedMessage | undefined => {
  const start = bytes.length - SUFFIX_BYTES;
  if (start < 1 || bytes.length > MAX_MESSAGE_BYTES) return undefined;
  const endOfSignature = bytes.length - FIELD_END.length;
  const startOfSignature = start + FIELD_START.length;
  if (!hasAt(bytes, start, FIELD_START) || !hasAt(bytes, endOfSignature, FIELD_END)) return undefined;
  const signature = decodeBase64url(String.fromCharCode(...bytes.subarray(startOfSignature, endOfSignature)));
  if (signature === undefined) return undefined;
  return { content: concat(bytes.subarray(0, start), Uint8Array.of(CLOSING_BRACE)), signature };
};

/** Attributes of a text stream that the gateway signed. */
export const STREAM_SIGNATURE_ATTRIBUTE = 'caption-gateway.sig';
export const STREAM_NUMBER_ATTRIBUTE = 'caption-gateway.n';
/** Whose words they are, in end-to-end encrypted rooms: there LiveKit cannot name a sender. */
export const STREAM_SPEAKER_ATTRIBUTE = 'caption-gateway.speaker';

/** One text stream, as far as it is signed. */
export interface SignedStream {
  readonly room: string;
  readonly speaker: string;
  readonly segment: string;
  readonly isFinal: boolean;
  /** Only increases within one bot, at about a thousand a second: what is older is a repetition. */
  readonly number: number;
  readonly text: string;
}

/** What a signature of a text stream is made of. */
export const streamToSign = (stream: SignedStream): Uint8Array<ArrayBuffer> => {
  const { room, speaker, segment, isFinal, number, text } = stream;
  return encodeUtf8(STREAM_DOMAIN + JSON.stringify([room, speaker, segment, isFinal, number, text]));
};

const hasAt = (bytes: Uint8Array, offset: number, expected: Uint8Array): boolean =>
  expected.every((byte, index) => bytes[offset + index] === byte);

const concat = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};
