/** The demo meeting, captioned by the real gateway as `npm run demo` does it, for a page that watches. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { builtModule } from '../asr/index.js';
import { CaptionError } from '../protocol/index.js';

const START_DEADLINE_MS = 60_000;

export interface PageDemo {
  readonly url: string;
  readonly room: string;
  /** Ends the demo, also in the middle. Idempotent. */
  close(): Promise<void>;
}

/** Resolves when the page can be opened; the meeting begins at the same time. Throws CaptionError `gateway_not_started`. `close` it. */
export async function startDemo(): Promise<PageDemo> {
  const child = spawn(process.execPath, [builtModule('gateway/main.js'), 'demo'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'close');
    child.kill('SIGTERM');
    await gone;
  };
  try {
    return { ...(await addressOf(child)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<{ url: string; room: string }> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = (): void => {
      clearTimeout(timer);
      reject(
        new CaptionError(
          'gateway_not_started',
          `The demo told no address of a page: ${printed.slice(-2000)}`,
        ),
      );
    };
    const timer = setTimeout(fail, START_DEADLINE_MS);
    child.once('close', fail);
    child.stdout?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-20_000);
      const [, url, room] = /(http:\/\/\S+?)\/\?room=(\w+)/.exec(printed) ?? [];
      if (url === undefined || room === undefined) return;
      clearTimeout(timer);
      child.off('close', fail);
      // Read on and forget, or a full pipe would hold the demo up.
      child.stdout?.removeAllListeners('data').resume();
      resolve({ url, room });
    });
  });
}
