/** Unpacks bzip2 block by block: `unbzip2-stream` decodes all that it has at once, however much that is, into arrays of numbers. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import bitReader from 'unbzip2-stream/lib/bit_iterator.js';
import bzip2 from 'unbzip2-stream/lib/bzip2.js';

const BYTES_PER_LEVEL = 100_000;
/** A block is never longer packed than unpacked by more than this. */
const BLOCK_MARGIN_BYTES = 25_000;
/** Of the header "BZh9", and of the end of a stream. */
const MAX_FRAME_BYTES = 20;

/** Lets others work after each block, of which the longest has 46 MB. Throws an error where the bytes are no bzip2, or are cut off. */
export async function* decodeBzip2(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let receivedBytes = 0;
  let hasEnded = false;
  const input = source[Symbol.asyncIterator]();
  try {
    const decoder = new BlockDecoder(() => {
      const piece = pieces.shift();
      if (piece === undefined) throw new Error('it is cut off');
      return piece;
    });
    for (;;) {
      // A block is decoded in one go: all of it must be there.
      while (!hasEnded && receivedBytes - decoder.readBytes < decoder.neededBytes) {
        const next = await input.next();
        hasEnded = next.done === true;
        if (next.done === true || next.value.length === 0) continue;
        pieces.push(next.value);
        receivedBytes += next.value.length;
      }
      if (hasEnded && receivedBytes === decoder.readBytes) break;
      const block = decoder.next();
      if (block !== undefined) yield block;
      await nextTurn();
    }
    if (decoder.isInside) throw new Error('it is cut off');
  } finally {
    await input.return?.();
  }
}

class BlockDecoder {
  /** The package keeps a block's tables in the object itself. */
  readonly #bzip2: typeof bzip2 = Object.create(bzip2) as typeof bzip2;
  readonly #nextPiece: () => Uint8Array;
  #bits: ReturnType<typeof bitReader> | undefined;
  /** "Level" 1 to 9 of the stream that is being read; 0 between streams. */
  #level = 0;
  #work = new Int32Array(0);
  #checksum = 0;
  #output = Buffer.alloc(BYTES_PER_LEVEL);

  constructor(nextPiece: () => Uint8Array) {
    this.#nextPiece = nextPiece;
  }

  get readBytes(): number {
    return this.#bits?.bytesRead ?? 0;
  }

  /** So many bytes hold whatever comes next. */
  get neededBytes(): number {
    return this.#level === 0 ? MAX_FRAME_BYTES : this.#level * BYTES_PER_LEVEL + BLOCK_MARGIN_BYTES;
  }

  /** The end of a stream has not come yet. */
  get isInside(): boolean {
    return this.#level !== 0;
  }

  /** The bytes of the next block; undefined for the beginning and the end of a stream. */
  next(): Uint8Array | undefined {
    const bits = (this.#bits ??= bitReader(this.#nextPiece));
    if (this.#level === 0) {
      this.#level = this.#bzip2.header(bits);
      this.#work = new Int32Array(this.#level * BYTES_PER_LEVEL);
      this.#checksum = 0;
      return undefined;
    }
    let length = 0;
    const put = (byte: number): void => {
      if (length === this.#output.length) this.#output = Buffer.concat([this.#output], 2 * length);
      this.#output[length] = byte;
      length += 1;
    };
    const checksum = this.#bzip2.decompress(bits, put, this.#work, this.#work.length, this.#checksum);
    if (checksum === null) {
      this.#level = 0;
      return undefined;
    }
    this.#checksum = checksum;
    return Buffer.from(this.#output.subarray(0, length));
  }
}
