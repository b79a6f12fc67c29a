/** What a gateway lets itself be started with, tried with further gateways that end at once. */
import { spawn } from 'node:child_process';
import { environmentWith } from '../../../gateway/index.js';
import type { Attack } from '../attack.js';
import { request } from '../hostile-request.js';

/** Of nobody (RFC 5737): a gateway that takes the key finds that it cannot listen there, and nothing is exposed. */
const NOT_LOOPBACK = '192.0.2.1';
/** What a gateway logs that takes connections. */
const READY = 'gateway ready';
const START_DEADLINE_MS = 20_000;
const PASSWORD = 'password-of-the-bench';
const INNER_ADDRESS = '127.0.0.1:9/inner-path';

export const weakKey: Attack = {
  name: 'F19',
  title: 'published and short keys on an address that others reach',
  venue: 'gateway',
  async run({ target, tally }) {
    for (const [key, secret] of [
      ['devkey', 'secret'],
      ['mine', 'x'],
    ] as const) {
      const log = await startedWith(target.program, {
        CAPTION_HOST: NOT_LOOPBACK,
        LIVEKIT_API_KEY: key,
        LIVEKIT_API_SECRET: secret,
      });
      tally.answered(/"code":"(\w+)"/.exec(log)?.[1] ?? firstWords(log));
      if (log.includes('Cannot listen') || log.includes('address_unavailable'))
        tally.breach(`the key ${key} was taken for an address that others reach`);
    }
  },
};

export const passwordInAddress: Attack = {
  name: 'F20',
  title: 'a password in the address of a webhook',
  venue: 'gateway',
  async run({ target, tally }) {
    const log = await startedWith(target.program, {
      LIVEKIT_API_KEY: target.apiKey,
      LIVEKIT_API_SECRET: target.apiSecret,
      CAPTION_WEBHOOK_URL: `http://user:${PASSWORD}@127.0.0.1:9/`,
      CAPTION_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    });
    tally.answered(/"code":"(\w+)"/.exec(log)?.[1] ?? firstWords(log));
    if (log.includes(PASSWORD)) tally.breach('the password stands in what the gateway says');
    if (log.includes(READY)) tally.breach('an address with a password was taken');
  },
};

export const innerAddress: Attack = {
  name: 'F22',
  title: 'the address of the LiveKit server, asked of /readyz by nobody',
  venue: 'gateway',
  environment: { LIVEKIT_URL: `ws://${INNER_ADDRESS}` },
  async run(context) {
    const answer = await request(context, '/readyz');
    if (answer?.status !== 503)
      context.tally.breach(`/readyz answered ${answer?.status ?? 'nothing'} without LiveKit`);
    if (answer?.text.includes('127.0.0.1:9') === true || answer?.text.includes('inner-path') === true)
      context.tally.breach('/readyz tells the address of the LiveKit server');
  },
};

/** What it says until it ends; it is ended when it is ready, or does not end by itself. */
function startedWith(program: string, settings: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [program, 'serve'], {
    env: environmentWith({
      CAPTION_PORT: '0',
      CAPTION_REPORT: 'memory',
      CAPTION_LOG_LEVEL: 'info',
      ...settings,
    }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve) => {
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes(READY)) child.kill('SIGKILL');
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(log);
    });
  });
}

const firstWords = (log: string): string =>
  /caption-gateway: (\w+)/.exec(log)?.[1] ?? (log.includes(READY) ? 'ready' : 'nothing said');
