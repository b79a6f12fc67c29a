/** Models of a few hundred bytes that pass every check short of being loaded, and archives of them. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create, Header } from 'tar';
import type { RegisteredRecogniser } from '../registry.js';

export const TINY_ID = 'tiny';
export const TINY_FOLDER = 'sherpa-onnx-tiny-2025';

/** `ir_version` 7 and a graph of `graphBytes` bytes. */
export function tinyOnnx(graphBytes = 100): Buffer {
  const length = graphBytes < 0x80 ? [graphBytes] : varint(graphBytes);
  return Buffer.concat([Buffer.from([0x08, 0x07, 0x3a, ...length]), Buffer.alloc(graphBytes, 0x61)]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];
}

export const TINY_TOKENS = '<blk> 0\n<unk> 1\n\u2581HELLO 2\n\u2581WORLD 3\n';

/** File names and contents of a model. */
export const tinyFiles = (): Record<string, Buffer> => ({
  'encoder-epoch-9-avg-1.onnx': tinyOnnx(3000),
  'encoder-epoch-9-avg-1.int8.onnx': tinyOnnx(1000),
  'decoder-epoch-9-avg-1.onnx': tinyOnnx(),
  'joiner-epoch-9-avg-1.onnx': tinyOnnx(),
  'tokens.txt': Buffer.from(TINY_TOKENS),
});

/** Writes `files` below `dir`. */
export async function writeFiles(dir: string, files: Record<string, Buffer | string>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  return dir;
}

/** A .tar.gz of `files` inside `TINY_FOLDER`, made in `scratchDir`. */
export async function tinyArchive(scratchDir: string, files = tinyFiles()): Promise<Buffer> {
  await writeFiles(join(scratchDir, TINY_FOLDER), files);
  const path = join(scratchDir, `${TINY_FOLDER}.tar.gz`);
  await create({ cwd: scratchDir, file: path, gzip: true, portable: true }, [TINY_FOLDER]);
  return readFile(path);
}

export interface TarEntry {
  readonly path: string;
  readonly type?:
    'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'FIFO' | 'CharacterDevice' | 'ExtendedHeader';
  readonly linkpath?: string;
  readonly content?: Buffer;
  readonly mode?: number;
}

/** An uncompressed archive with exactly these entries, however wicked. */
export function rawTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    const header = new Header({
      path: entry.path,
      type: entry.type ?? 'File',
      mode: entry.mode ?? 0o644,
      size: content.length,
      mtime: new Date(0),
      ...(entry.linkpath === undefined ? {} : { linkpath: entry.linkpath }),
    });
    const head = Buffer.alloc(512);
    header.encode(head, 0);
    return [head, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The tiny model as a registry entry; its official address is one that nobody answers at. */
export const tinyEntry = (
  archive: Buffer | undefined,
  changes: Partial<RegisteredRecogniser> = {},
): RegisteredRecogniser => ({
  kind: 'recogniser',
  id: TINY_ID,
  title: 'Tiny',
  languages: ['en'],
  licence: 'Apache-2.0',
  folder: TINY_FOLDER,
  archive: {
    url: `http://127.0.0.1:1/${TINY_FOLDER}.tar.gz`,
    ...(archive && { sizeBytes: archive.length, sha256: sha256(archive) }),
  },
  preferredPrecision: 'fp32',
  casing: 'upper',
  punctuates: false,
  ...changes,
});

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
