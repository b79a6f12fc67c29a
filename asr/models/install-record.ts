/** `install.json`: where a model came from and what its files were, written when it is installed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import { readTextFile } from '../text-file.js';

export const INSTALL_RECORD_FILE = 'install.json';

export interface InstalledFile {
  /** Relative to the model's folder, with "/" between folders. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface InstallRecord {
  readonly version: 1;
  readonly id: string;
  /** The address or path it was installed from. */
  readonly source: string;
  /** Of the archive it was unpacked from; absent when a folder was copied. The checksum is the one that was seen. */
  readonly archive?: { readonly sizeBytes: number; readonly sha256: string };
  /** ISO 8601. */
  readonly installedAt: string;
  readonly files: readonly InstalledFile[];
}

/** Lower-case hex. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** All regular files below a folder except the record itself, with sizes and checksums, sorted by name. */
export async function describeFiles(dir: string, signal?: AbortSignal): Promise<InstalledFile[]> {
  const files: InstalledFile[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(join(dir, sep).length).split(sep).join('/');
    if (!entry.isFile() || name === INSTALL_RECORD_FILE) continue;
    files.push({ name, sizeBytes: await flushedSize(path), sha256: await sha256OfFile(path, signal) });
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Writes the record of a model whose files are complete. */
export async function writeInstallRecord(dir: string, record: InstallRecord): Promise<void> {
  await writeFile(join(dir, INSTALL_RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
  await flushedSize(join(dir, INSTALL_RECORD_FILE));
}

/**
 * The record of a model's folder; undefined where it has none (a folder that was put there by hand).
 * Throws CaptionError `model_damaged` when the record cannot be read.
 */
export async function readInstallRecord(dir: string): Promise<InstallRecord | undefined> {
  const path = join(dir, INSTALL_RECORD_FILE);
  let text: string;
  try {
    text = await readTextFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const record = parseRecord(text);
  if (record === undefined)
    throw new CaptionError('model_damaged', `${path} is damaged: it is no install record.`);
  return record;
}

/** Whether a file system error says that there is no such file. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

function parseRecord(text: string): InstallRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isInstallRecord(value) ? value : undefined;
}

function isInstallRecord(value: unknown): value is InstallRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<Record<keyof InstallRecord, unknown>>;
  return (
    record.version === 1 &&
    typeof record.id === 'string' &&
    typeof record.source === 'string' &&
    Array.isArray(record.files) &&
    record.files.every(isInstalledFile)
  );
}

function isInstalledFile(value: unknown): value is InstalledFile {
  if (typeof value !== 'object' || value === null) return false;
  const file = value as Partial<Record<keyof InstalledFile, unknown>>;
  return (
    typeof file.name === 'string' && typeof file.sizeBytes === 'number' && typeof file.sha256 === 'string'
  );
}

/** Forces the file to disk: a rename must not become visible after a power cut before the bytes it names. */
async function flushedSize(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
