/** The parts of which the package `unbzip2-stream` is made; it has no types of its own. */
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  interface BitReader {
    /** The next `count` bits; null goes on to the next whole byte. */
    (count: number | null): number;
    bytesRead: number;
  }
  export default function bitReader(nextBuffer: () => Uint8Array): BitReader;
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type bitReader from 'unbzip2-stream/lib/bit_iterator.js';
  type BitReader = ReturnType<typeof bitReader>;
  const bzip2: {
    /** Reads the beginning of a stream: its level, 1 to 9. */
    header(this: unknown, bits: BitReader): number;
    /** Reads a block, or the end of a stream: then null, else the checksum so far. */
    decompress(
      bits: BitReader,
      put: (byte: number) => void,
      work: Int32Array,
      workLength: number,
      checksum: number,
    ): number | null;
  };
  export default bzip2;
}
