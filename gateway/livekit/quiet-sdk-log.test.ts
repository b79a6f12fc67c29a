import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const BUILT = new URL('../../dist/gateway/livekit/quiet-sdk-log.js', import.meta.url);

/** Standard output of a process that has the SDK refuse an address. */
const outputOf = (program: string): string =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { dispose, Room } from '@livekit/rtc-node';
       import { quietSdkLog } from ${JSON.stringify(BUILT.href)};
       ${program}
       const room = new Room();
       room.unregisterTextStreamHandler('none');
       room.handleTextStreamOpened({ info: { topic: 'unknown' }, handle: { id: 0n } }, 'somebody');
       await dispose();`,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_ENV: '' } },
  ).stdout;

it('keeps the log of the SDK out of standard output', () => {
  expect(outputOf('')).toContain('lk-rtc');
  expect(outputOf('quietSdkLog();')).toBe('');
});
