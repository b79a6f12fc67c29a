/** Tests with the real model: found where the gateway finds it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { DEFAULT_MODEL_ID, findModel, type InstalledModel, modelDirectories } from '../models/index.js';

const environment = process.env;
const directories = modelDirectories({
  configuredDir: environment['CAPTION_MODELS_DIR'],
  workingDir: process.cwd(),
  cacheDir: environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
});
const model = await findModel({ id: DEFAULT_MODEL_ID, directories });

/** Runs `tests` with the default model. Without it they are skipped, and told so; in CI (`CI` is set) they fail. */
export function describeWithModel(title: string, tests: (model: InstalledModel) => void): void {
  if (model !== undefined) {
    describe(title, () => tests(model));
    return;
  }
  const reason = `SKIPPED: no model (${DEFAULT_MODEL_ID} is in none of ${directories.join(', ')})`;
  it(title, (context) => {
    if (environment['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}
