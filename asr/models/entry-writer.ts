/** Writes the files and folders of an archive, but not what systems leave beside them; none of them executable, set-uid or unreadable, whatever the archive says. */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ReadEntry } from 'tar';
import { errorMessage } from '../../protocol/index.js';
import { isClutter } from './clutter.js';
import { writeFully } from './part-file.js';

type Step =
  | { readonly kind: 'folder' | 'file'; readonly path: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

/** What the names in an archive can do wrong: a file where a folder should be, a name that is too long. */
const FAULTS_OF_NAMES: readonly string[] = ['EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL'];

/** `take` notes what the parser finds in a piece of the archive, `write` writes it. `close` must be called in the end. */
export class EntryWriter {
  readonly #targetDir: string;
  #steps: Step[] = [];
  #file: FileHandle | undefined;
  #hasFailed = false;

  constructor(targetDir: string) {
    this.#targetDir = targetDir;
  }

  /** The disk refused something, and not because of the archive. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** An entry whose path is inside the target; its bytes come while the parser goes on. */
  take(entry: ReadEntry): void {
    const path = join(this.#targetDir, entry.path);
    if (entry.path.split('/').some(isClutter)) {
      entry.resume();
      return;
    }
    if (entry.type === 'Directory') {
      this.#steps.push({ kind: 'folder', path });
      entry.resume();
      return;
    }
    this.#steps.push({ kind: 'file', path });
    entry.on('data', (bytes) => this.#steps.push({ kind: 'bytes', bytes }));
    entry.on('end', () => this.#steps.push({ kind: 'end' }));
  }

  async write(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    try {
      for (const step of steps) await this.#do(step);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (FAULTS_OF_NAMES.includes(code)) throw new Error(errorMessage(error), { cause: error });
      this.#hasFailed = true;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'folder':
        await mkdir(step.path, { recursive: true, mode: 0o755 });
        return;
      case 'file':
        await mkdir(dirname(step.path), { recursive: true, mode: 0o755 });
        this.#file = await open(step.path, 'w', 0o644);
        return;
      case 'bytes':
        if (this.#file !== undefined) await writeFully(this.#file, step.bytes);
        return;
      case 'end':
        await this.close();
    }
  }
}
