import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const built = (file: string): string => new URL(`../../dist/gateway/livekit/${file}`, import.meta.url).href;

/** In a process of its own: what a finaliser throws ends it. */
const disposed = () =>
  spawnSync(
    process.execPath,
    [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      `import { AudioSource } from '@livekit/rtc-node';
       import { disposeSdk } from ${JSON.stringify(built('dispose-sdk.js'))};
       import { prepareSdk } from ${JSON.stringify(built('prepare-sdk.js'))};
       prepareSdk();
       let sources = [new AudioSource(16000, 1), new AudioSource(16000, 1)];
       await disposeSdk();
       sources = undefined;
       for (let times = 0; times < 10; times += 1) {
         globalThis.gc();
         await new Promise(setImmediate);
       }
       console.log('collected');`,
    ],
    { encoding: 'utf8' },
  );

it('lets the process end well, whatever of the SDK is collected afterwards', () => {
  const { status, stdout } = disposed();
  expect(stdout).toBe('collected\n');
  expect(status).toBe(0);
});
