/** Writes protobuf messages: the counterpart of `protobuf.ts`, for ONNX files that are changed as they are loaded. */
import { WIRE_BYTES, WIRE_VARINT } from './protobuf.js';

/** A message in the making. Fields come out in the order in which they were added. */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];

  /** A field that is a text, a message or packed. */
  bytes(fieldNumber: number, content: Uint8Array): this {
    this.#parts.push(varint(fieldNumber * 8 + WIRE_BYTES), varint(content.length), content);
    return this;
  }

  text(fieldNumber: number, content: string): this {
    return this.bytes(fieldNumber, Buffer.from(content, 'utf8'));
  }

  /** A whole number from 0 to 2^53. */
  varint(fieldNumber: number, value: number): this {
    this.#parts.push(varint(fieldNumber * 8 + WIRE_VARINT), varint(value));
    return this;
  }

  /** Whole numbers from 0 to 2^53, packed. */
  packed(fieldNumber: number, values: readonly number[]): this {
    return this.bytes(fieldNumber, Buffer.concat(values.map(varint)));
  }

  /** A whole field as it was read, tag included. */
  raw(field: Uint8Array): this {
    this.#parts.push(field);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
