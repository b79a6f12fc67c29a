import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

export interface LaunchedBrowser {
  readonly browser: Browser;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

/** `flags` are Chromium's own, besides ours. */
export type LaunchBrowser = (flags?: readonly string[]) => Promise<LaunchedBrowser>;

/** Runs `tests` where there is a `chromium`. Without it they are skipped, and told so; in CI (`CI` is set) they fail. */
export function withChromium(tests: (launch: LaunchBrowser) => void): void {
  if (executablePath !== undefined) {
    tests((flags = []) => launchChromium(executablePath, flags));
    return;
  }
  const reason = 'SKIPPED: no chromium in PATH (Debian package "chromium")';
  it('needs chromium', (context) => {
    if (process.env['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}

/** With a home of its own: Chromium keeps crash reports and caches there, whatever its profile is. */
async function launchChromium(executablePath: string, flags: readonly string[]): Promise<LaunchedBrowser> {
  const home = await mkdtemp(join(tmpdir(), 'caption-gateway-chromium-'));
  const removeHome = (): Promise<void> => rm(home, { recursive: true, force: true, maxRetries: 5 });
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
  try {
    const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...flags], env });
    return { browser, close: () => browser.close().finally(removeHome) };
  } catch (error) {
    await removeHome();
    throw error;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
