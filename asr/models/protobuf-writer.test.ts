import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from './protobuf.js';
import { ProtobufWriter } from './protobuf-writer.js';

const fieldNumber = fc.integer({ min: 1, max: 2 ** 28 });

describe('ProtobufWriter', () => {
  it('writes what the reader reads: fields in order, contents and all', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fieldNumber, fc.uint8Array({ maxLength: 300 }))), (fields) => {
        const writer = new ProtobufWriter();
        for (const [number, content] of fields) writer.bytes(number, content);
        const message = writer.finish();
        const read = readMessage(message)?.map(({ number, contentOffset, contentBytes }) => [
          number,
          Uint8Array.from(message.subarray(contentOffset, contentOffset + contentBytes)),
        ]);
        expect(read).toEqual(fields);
      }),
    );
  });

  it('writes whole numbers and packed ones as protobuf’s documentation does', () => {
    expect([
      ...new ProtobufWriter().varint(1, 150).packed(6, [3, 270, 86942]).text(2, 'testing').finish(),
    ]).toEqual([
      0x08, 0x96, 0x01, 0x32, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74,
      0x69, 0x6e, 0x67,
    ]);
  });
});
