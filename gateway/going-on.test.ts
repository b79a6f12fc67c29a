import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWithModel } from '../asr/testing/real-model.js';
import { roomName } from '../protocol/index.js';
import { connectCaptions } from './client/caption-client.js';
import { accessToken, TEST_KEYS } from './testing/access-token.js';
import { cleanupsAfterEach } from './testing/cleanups.js';
import { type Program, startProgram } from './testing/program.js';
import { waitFor, waitUntil } from './testing/wait-until.js';

/** At each SIGUSR2 something inside the process fails: a promise that nobody waits for, and a timer. */
const FAILING = `process.on('SIGUSR2', () => {
  Promise.reject(new Error('a promise went wrong'));
  setTimeout(() => { throw new Error('a timer went wrong'); });
});`;
const OPERATOR_TOKEN = 'an-operators-token';

describeWithModel('the program that serves', (model) => {
  const afterwards = cleanupsAfterEach();

  async function start(): Promise<{ program: Program; url: string }> {
    const program = startProgram(['serve'], {
      env: {
        ...TEST_KEYS,
        CAPTION_PORT: '0',
        CAPTION_RECOGNISERS: '1',
        CAPTION_MODEL: model.id,
        CAPTION_OPERATOR_TOKEN: OPERATOR_TOKEN,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(FAILING)}`,
      },
    });
    afterwards(() => program.kill());
    const url = await waitFor('it is not ready', () => /"url":"([^"]+)"/.exec(program.stderr())?.[1]);
    return { program, url };
  }

  const count = (text: string, what: string): number => text.split(what).length - 1;

  it('goes on when something inside it fails, and logs and counts it', async () => {
    const { program, url } = await start();
    const disconnected: number[] = [];
    const viewer = connectCaptions({
      url,
      room: roomName('council'),
      token: await accessToken(),
      changed: () => undefined,
      disconnected: ({ code }) => disconnected.push(code),
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    program.child.kill('SIGUSR2');
    await waitUntil(() =>
      ['a promise went wrong', 'a timer went wrong'].every((text) => program.stderr().includes(text))
        ? undefined
        : 'not in the log',
    );
    await waitUntil(async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return metrics.includes('caption_stray_errors_total 2') ? undefined : 'not counted';
    });
    expect(program.stderr()).toMatch(/"stack":"Error: a timer went wrong/);
    await viewer.settled();
    expect(disconnected).toEqual([]);
    expect(program.child.exitCode).toBeNull();
  });

  it('ends in order, as failed, when that happens again and again', async () => {
    const { program, url } = await start();
    const disconnected: number[] = [];
    const viewer = connectCaptions({
      url,
      room: roomName('council'),
      token: await accessToken(),
      changed: () => undefined,
      disconnected: ({ code }) => disconnected.push(code),
    });
    afterwards(() => viewer.close());
    await viewer.ready;
    for (let failures = 1; failures <= 10; failures++) {
      program.child.kill('SIGUSR2');
      await waitUntil(() =>
        count(program.stderr(), '"stack":"Error: a timer went wrong') >= failures ? undefined : 'not failed',
      );
    }
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('shutting down');
    expect(stderr).toContain('internal_error: 10 errors within a minute');
    await waitUntil(() => (disconnected[0] === 1001 ? undefined : 'the viewer was not told'));
  });

  it('keeps its secrets from its recognisers', async (context) => {
    if (process.platform !== 'linux') context.skip('only Linux shows the environment of other processes');
    const { program } = await start();
    const children = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && parentOf(pid) === program.child.pid,
    );
    // The one that works, and the one that stands by.
    expect(children).toHaveLength(2);
    const secret = [TEST_KEYS.LIVEKIT_API_SECRET, OPERATOR_TOKEN];
    const own = readFileSync(`/proc/${program.child.pid}/environ`, 'utf8');
    for (const text of secret) expect(own).toContain(text);
    for (const pid of children) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      expect(environment).toContain('PATH=');
      expect(environment).not.toMatch(/CAPTION_|LIVEKIT_/);
      for (const text of secret) expect(environment).not.toContain(text);
    }
  });
});

/** Undefined when it is gone. */
function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
