import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { it } from 'vitest';

/** Nothing but the page: no sandbox (CI runs as root), no connection to anywhere else. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find(isExecutable);

/** Runs `tests` where there is a `chromium`. Without it they are skipped, and told so; in CI (`CI` is set) they fail. */
export function withChromium(tests: (launch: () => Promise<Browser>) => void): void {
  if (executablePath !== undefined) {
    tests(() => chromium.launch({ executablePath, args: FLAGS }));
    return;
  }
  const reason = 'SKIPPED: no chromium in PATH (Debian package "chromium")';
  it('needs chromium', (context) => {
    if (process.env['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
