import { readFile } from 'node:fs/promises';

/** The bytes of a joiner to run. */
export async function loadJoiner(path: string): Promise<{ bytes: Uint8Array; isBatchable: boolean }> {
  return { bytes: await readFile(path), isBatchable: false };
}
