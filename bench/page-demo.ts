/** The demo meeting, captioned by the real gateway as `npm run demo` does it, for a page that watches. */
import { spawn } from 'node:child_process';
import { builtModule } from '../asr/index.js';
import { CaptionError } from '../protocol/index.js';
import { endProgram, untilPrinted } from './started-program.js';

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
  const address = await untilPrinted(child, {
    stream: child.stdout,
    find: (printed) => {
      const [, url, room] = /(http:\/\/\S+?)\/\?room=(\w+)/.exec(printed) ?? [];
      return url === undefined || room === undefined ? undefined : { url, room };
    },
    failure: (printed) =>
      new CaptionError('gateway_not_started', `The demo told no address of a page: ${printed}`),
  });
  return { ...address, close: () => endProgram(child) };
}
