/**
 * Unpacks an archive that is not trusted: only plain files and folders below the target come out of it.
 * One entry that is anything else, and the whole archive is refused.
 *
 * `tar`'s parser is driven by hand, piece after piece, and what comes out of a piece is written before the next one is read.
 * So nothing is being written any more when this is over, however it ends, and no archive can keep it waiting.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import { decodeBzip2 } from './bzip2.js';
import { EntryWriter } from './entry-writer.js';
import type { OnInstallProgress } from './progress.js';

const MIB = 1024 ** 2;
/** The biggest registered model unpacks to less than 1 GiB. */
export const DEFAULT_MAX_UNPACKED_BYTES = 16 * 1024 * MIB;
const MAX_ENTRIES = 10_000;
/** Headers and padding, which are in no file. */
const MAX_OVERHEAD_BYTES = 64 * MIB;
/** Weights do not become much smaller; what unpacks to more than this, and to more than so many times its size, is no model. */
const SMALL_BYTES = 64 * MIB;
const MAX_RATIO = 100;
/** Archives are padded at their end. It is read for the sake of the checksums that follow, but not for ever. */
const MAX_TRAILING_BYTES = MIB;
/** Where POSIX tar writes "ustar". */
const USTAR_OFFSET = 257;
const HEADER_BYTES = 512;

export interface UnpackOptions {
  readonly archivePath: string;
  /** An existing, empty folder. After an error it holds part of the archive. */
  readonly targetDir: string;
  /** Limit on the files' bytes together. Default 16 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnInstallProgress | undefined;
}

type Compression = 'bzip2' | 'gzip' | 'none';
type Bytes = AsyncIterable<Uint8Array>;

/**
 * Unpacks a .tar.bz2, .tar.gz or .tar, told apart by content. What follows the end of the archive is left alone.
 * Throws CaptionError `archive_unsafe` for an entry that leaves the target, is a link or a device, or for more than the
 * limit; `archive_damaged` for a file that is no such archive or is cut off; the signal's reason; and what the disk says.
 */
export async function unpackArchive(options: UnpackOptions): Promise<void> {
  const { archivePath, targetDir, signal, onProgress } = options;
  const { compression, sizeBytes } = await detectCompression(archivePath);
  const guard = new ArchiveGuard(options);
  const writer = new EntryWriter(targetDir);
  try {
    const packed = countPacked(createReadStream(archivePath), (doneBytes) => {
      guard.packedBytes = doneBytes;
      onProgress?.({ phase: 'unpacking', doneBytes, totalBytes: sizeBytes });
    });
    await unpackTar(decompress(packed, compression), { guard, writer, signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CaptionError || writer.hasFailed) throw error;
    throw new CaptionError('archive_damaged', `${archivePath} cannot be unpacked: ${errorMessage(error)}`, {
      cause: error,
    });
  } finally {
    await writer.close();
  }
}

async function unpackTar(
  tar: Bytes,
  { guard, writer, signal }: { guard: ArchiveGuard; writer: EntryWriter; signal: AbortSignal | undefined },
): Promise<void> {
  const progress: { failure?: Error; hasEnded: boolean } = { hasEnded: false };
  const parser = new Parser({
    strict: true,
    // An error that is thrown here ends the parser before it looks at what the entry says.
    filter: (path, entry) => guard.check(path, entry as ReadEntry),
    onReadEntry: (entry) => writer.take(entry),
  });
  parser.on('ignoredEntry', (entry: ReadEntry) => guard.refuseIgnored(entry));
  parser.on('error', (error: Error) => (progress.failure ??= error));
  parser.on('eof', () => (progress.hasEnded = true));
  let trailingBytes = 0;
  for await (const piece of withWholeHead(tar)) {
    signal?.throwIfAborted();
    guard.count(piece);
    if (progress.hasEnded) trailingBytes += piece.length;
    else parser.write(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    if (progress.failure !== undefined) throw progress.failure;
    await writer.write();
    if (trailingBytes > MAX_TRAILING_BYTES) break;
  }
  signal?.throwIfAborted();
  if (!progress.hasEnded) throw new Error('it is cut off');
}

/** Looks at every entry before anything of it is written, and at how much there is. */
class ArchiveGuard {
  packedBytes = 0;
  #unpackedBytes = 0;
  #entries = 0;
  #fileBytes = 0;
  readonly #archivePath: string;
  readonly #maxBytes: number;

  constructor({ archivePath, maxUnpackedBytes = DEFAULT_MAX_UNPACKED_BYTES }: UnpackOptions) {
    this.#archivePath = archivePath;
    this.#maxBytes = maxUnpackedBytes;
  }

  /** True, or throws CaptionError `archive_unsafe`. */
  check(path: string, entry: ReadEntry): boolean {
    this.#entries += 1;
    this.#fileBytes += entry.size;
    const problem = unsafePath(path) ?? unsafeType(entry) ?? this.#tooMuch();
    if (problem !== undefined) throw this.#unsafe(`entry "${path}" ${problem}`);
    return true;
  }

  /** The parser leaves out entries of types that it does not know, and headers that are too long. */
  refuseIgnored(entry: ReadEntry): never {
    throw this.#unsafe(`entry "${entry.path}" ${unsafeType(entry) ?? 'has too long a header'}`);
  }

  /** Counts everything, also what is in no file. Throws CaptionError `archive_unsafe`. */
  count(piece: Uint8Array): void {
    if (this.#unpackedBytes === 0 && isCompressed(piece)) throw new Error('it is compressed twice');
    this.#unpackedBytes += piece.length;
    if (this.#unpackedBytes > this.#maxBytes + MAX_OVERHEAD_BYTES)
      throw this.#unsafe(`it unpacks to more than ${this.#maxBytes} bytes`);
    if (this.#unpackedBytes > SMALL_BYTES + MAX_RATIO * this.packedBytes)
      throw this.#unsafe(`it unpacks to more than ${MAX_RATIO} times its size, which no model does`);
  }

  #tooMuch(): string | undefined {
    if (this.#fileBytes > this.#maxBytes) return `makes it larger than ${this.#maxBytes} bytes`;
    return this.#entries > MAX_ENTRIES ? `is one of more than ${MAX_ENTRIES}` : undefined;
  }

  #unsafe(what: string): CaptionError {
    return new CaptionError(
      'archive_unsafe',
      `${this.#archivePath} was refused and nothing of it installed: ${what}.`,
    );
  }
}

function unsafePath(path: string): string | undefined {
  if (path === '' || path.includes('\0')) return 'has no usable name';
  if (path.startsWith('/') || path.startsWith('\\') || /^[A-Za-z]:/.test(path)) return 'has an absolute path';
  return path.split(/[/\\]/).includes('..') ? 'leaves the folder with ".."' : undefined;
}

function unsafeType({ type }: ReadEntry): string | undefined {
  return type === 'File' || type === 'OldFile' || type === 'Directory'
    ? undefined
    : `is a ${type}, and only files and folders are allowed`;
}

/** The parser would unpack gzip and Zstandard by itself, and nobody would count. */
const isCompressed = ([first, second]: Uint8Array): boolean =>
  (first === 0x1f && second === 0x8b) || (first === 0x28 && second === 0xb5);

async function detectCompression(path: string): Promise<{ compression: Compression; sizeBytes: number }> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(USTAR_OFFSET + 5);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { size: sizeBytes } = await file.stat();
    if (head.toString('latin1', 0, 3) === 'BZh') return { compression: 'bzip2', sizeBytes };
    if (head[0] === 0x1f && head[1] === 0x8b) return { compression: 'gzip', sizeBytes };
    if (bytesRead === head.length && head.toString('latin1', USTAR_OFFSET) === 'ustar') {
      return { compression: 'none', sizeBytes };
    }
  } finally {
    await file.close();
  }
  throw new CaptionError('archive_damaged', `${path} is no .tar.bz2, .tar.gz or .tar archive.`);
}

async function* countPacked(source: Bytes, counted: (doneBytes: number) => void): Bytes {
  let doneBytes = 0;
  for await (const piece of source) {
    doneBytes += piece.length;
    counted(doneBytes);
    yield piece;
  }
}

/** The first piece is long enough to tell what it is. */
async function* withWholeHead(pieces: Bytes): Bytes {
  let head: Uint8Array | undefined = new Uint8Array(0);
  for await (const piece of pieces) {
    if (head !== undefined) head = Buffer.concat([head, piece]);
    if (head !== undefined && head.length < HEADER_BYTES) continue;
    yield head ?? piece;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

function decompress(packed: Bytes, compression: Compression): Bytes {
  switch (compression) {
    case 'bzip2':
      return decodeBzip2(packed);
    case 'gzip':
      return gunzip(packed);
    case 'none':
      return packed;
  }
}

async function* gunzip(packed: Bytes): Bytes {
  const decoder = createGunzip();
  // The decoder ends with the same error, and then so does the loop over it.
  const feeding = pipeline(packed, decoder).catch(() => undefined);
  try {
    yield* decoder as Bytes;
  } finally {
    decoder.destroy();
    await feeding;
  }
}
