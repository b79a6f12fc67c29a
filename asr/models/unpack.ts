/**
 * Unpacks an archive that is not trusted: only plain files and folders below the target come out of it.
 * One entry that is anything else, and the whole archive is refused.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, ReadEntry } from 'tar';
import bzip2Decoder from 'unbzip2-stream';
import { CaptionError, errorMessage } from '../../protocol/index.js';
import type { OnInstallProgress } from './progress.js';

const GIB = 1024 ** 3;
/** The biggest registered model unpacks to less than 1 GiB. */
export const DEFAULT_MAX_UNPACKED_BYTES = 16 * GIB;
const MAX_ENTRIES = 10_000;
/** What the bzip2 decoder may make of the piece it is given; real archives stay below a hundredth of it. */
const MAX_HELD_BYTES = GIB / 2;
/** Where POSIX tar writes "ustar". */
const USTAR_OFFSET = 257;

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
 * Unpacks a .tar.bz2, .tar.gz or .tar, told apart by content.
 * Throws CaptionError `archive_unsafe` for an entry that leaves the target, is a link or a device, or for more than the
 * limit; `archive_damaged` for a file that is no such archive or is cut off; and the signal's reason.
 */
export async function unpackArchive(options: UnpackOptions): Promise<void> {
  const { archivePath, targetDir } = options;
  const { compression, sizeBytes } = await detectCompression(archivePath);
  const refused = new AbortController();
  const guard = new EntryGuard(options, (reason) => refused.abort(reason));
  const signal = options.signal ? AbortSignal.any([options.signal, refused.signal]) : refused.signal;
  const target = extract({
    cwd: targetDir,
    strict: true,
    noMtime: true,
    preserveOwner: false,
    filter: (path, entry) => entry instanceof ReadEntry && guard.accepts(path, entry),
  });
  try {
    const counted = (source: Bytes): Bytes => countBytes(source, sizeBytes, options.onProgress);
    const source = createReadStream(archivePath);
    if (compression === 'gzip') await pipeline(source, counted, createGunzip(), target, { signal });
    else if (compression === 'bzip2') await pipeline(source, counted, decodeBzip2, target, { signal });
    else await pipeline(source, counted, target, { signal });
  } catch (error) {
    // The streams report an abort in words of their own; what counts is who aborted.
    signal.throwIfAborted();
    throw new CaptionError('archive_damaged', `${archivePath} cannot be unpacked: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  signal.throwIfAborted();
}

/** Looks at every entry before anything of it is written. */
class EntryGuard {
  #entries = 0;
  #bytes = 0;

  constructor(
    private readonly options: UnpackOptions,
    private readonly refuse: (reason: CaptionError) => void,
  ) {}

  accepts(path: string, entry: ReadEntry): boolean {
    this.#entries += 1;
    this.#bytes += entry.size;
    const problem = unsafePath(path) ?? unsafeType(entry) ?? this.#tooMuch();
    if (problem === undefined) {
      // Whatever the archive says, nothing in it is to be executable, set-uid or unreadable.
      entry.mode = entry.type === 'Directory' ? 0o755 : 0o644;
      return true;
    }
    this.refuse(
      new CaptionError(
        'archive_unsafe',
        `${this.options.archivePath} was refused and nothing of it installed: entry "${path}" ${problem}.`,
      ),
    );
    return false;
  }

  #tooMuch(): string | undefined {
    const maxBytes = this.options.maxUnpackedBytes ?? DEFAULT_MAX_UNPACKED_BYTES;
    if (this.#bytes > maxBytes) return `makes it larger than ${maxBytes} bytes`;
    return this.#entries > MAX_ENTRIES ? `is one of more than ${MAX_ENTRIES}` : undefined;
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

async function* countBytes(source: Bytes, totalBytes: number, onProgress?: OnInstallProgress): Bytes {
  let doneBytes = 0;
  for await (const chunk of source) {
    yield chunk;
    doneBytes += chunk.length;
    onProgress?.({ phase: 'unpacking', doneBytes, totalBytes });
  }
}

/** The decoder is an old-style stream that works while it is written to; this gives it back-pressure. */
async function* decodeBzip2(source: Bytes): Bytes {
  const decoder = bzip2Decoder();
  const decoded: Uint8Array[] = [];
  const failures: unknown[] = [];
  let heldBytes = 0;
  decoder.on('data', (block: Uint8Array) => {
    heldBytes += block.length;
    // Caught by the decoder, which stops and reports it as its error.
    if (heldBytes > MAX_HELD_BYTES) throw new Error('it is compressed beyond anything a model can be');
    decoded.push(block);
  });
  decoder.on('error', (error: unknown) => failures.push(error));
  const takeDecoded = (): Uint8Array[] => {
    if (failures.length > 0) throw failures[0];
    heldBytes = 0;
    return decoded.splice(0);
  };
  for await (const chunk of source) {
    decoder.write(chunk);
    yield* takeDecoded();
  }
  decoder.end();
  yield* takeDecoded();
}
