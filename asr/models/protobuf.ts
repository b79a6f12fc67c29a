/** The little of the protobuf wire format that is needed to look into ONNX and SentencePiece files. */

/** What follows a field's tag. */
export const WIRE_VARINT = 0;
export const WIRE_64_BIT = 1;
export const WIRE_BYTES = 2;
export const WIRE_32_BIT = 5;

/** The longest encoding of a 64-bit varint. */
const MAX_VARINT_BYTES = 10;

export interface ProtobufField {
  readonly number: number;
  readonly wireType: number;
  /** Where the field's content begins, counted from the start of the bytes given. */
  readonly contentOffset: number;
  readonly contentBytes: number;
}

/** The field whose tag stands at `offset`, or undefined where there is none that makes sense. */
export function readField(bytes: Uint8Array, offset: number): ProtobufField | undefined {
  const tag = readVarint(bytes, offset);
  if (tag === undefined) return undefined;
  const number = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  if (number === 0) return undefined;
  const contentBytes = contentLength(bytes, tag.end, wireType);
  return contentBytes && { number, wireType, ...contentBytes };
}

/** All fields of a message; undefined when the bytes are not exactly one. */
export function readMessage(bytes: Uint8Array): readonly ProtobufField[] | undefined {
  const fields: ProtobufField[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const field = readField(bytes, offset);
    if (field === undefined) return undefined;
    fields.push(field);
    offset = field.contentOffset + field.contentBytes;
  }
  return offset === bytes.length ? fields : undefined;
}

function contentLength(
  bytes: Uint8Array,
  offset: number,
  wireType: number,
): Pick<ProtobufField, 'contentOffset' | 'contentBytes'> | undefined {
  if (wireType === WIRE_64_BIT) return { contentOffset: offset, contentBytes: 8 };
  if (wireType === WIRE_32_BIT) return { contentOffset: offset, contentBytes: 4 };
  const varint = readVarint(bytes, offset);
  if (varint === undefined) return undefined;
  if (wireType === WIRE_VARINT) return { contentOffset: offset, contentBytes: varint.end - offset };
  if (wireType === WIRE_BYTES) return { contentOffset: varint.end, contentBytes: varint.value };
  return undefined;
}

/** Values above 2^53 lose digits; lengths and tags are far below. */
function readVarint(bytes: Uint8Array, offset: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < MAX_VARINT_BYTES; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: offset + index + 1 };
  }
  return undefined;
}
