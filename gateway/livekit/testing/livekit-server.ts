/** Tests with a real livekit-server on loopback: found where `npm run livekit` finds it, never built by a test. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { InstalledModel } from '../../../asr/index.js';
import { describeWithModel } from '../../../asr/testing/real-model.js';
import { builtLiveKitServer, findLiveKitServer } from '../server/find-livekit-server.js';
import type { LiveKitServerSections } from '../server/livekit-server-config.js';
import { startLiveKitServer } from '../server/livekit-server-process.js';

const places = {
  configured: process.env['LIVEKIT_SERVER_BIN'] ?? '',
  workingDir: process.cwd(),
  cacheDir: process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  variables: process.env,
};
const binary = await findLiveKitServer(places);

/** The path of a livekit-server. */
export type LiveKitBinary = string;

const KEY = { apiKey: 'devkey', apiSecret: 'a secret of tests, of at least 32 characters' };
const RETRIES = 3;

/** Runs `tests` with a livekit-server. Without one they are skipped, and told so; in CI (`CI` is set) they fail. */
export function describeWithLiveKit(title: string, tests: (binary: LiveKitBinary) => void): void {
  if (binary !== undefined) {
    describe(title, () => tests(binary));
    return;
  }
  const reason =
    'SKIPPED: no livekit-server (LIVEKIT_SERVER_BIN is not set, none on PATH, ' +
    `and ${builtLiveKitServer(places)} does not exist: \`npm run livekit\` builds it once)`;
  it(title, (context) => {
    if (process.env['CI'] !== undefined) throw new Error(reason);
    process.stderr.write(`${reason}\n`);
    context.skip(reason);
  });
}

/** The same for tests that need the default model too. */
export function describeWithModelAndLiveKit(
  title: string,
  tests: (model: InstalledModel, binary: LiveKitBinary) => void,
): void {
  describeWithLiveKit(title, (found) => describeWithModel('with the model', (model) => tests(model, found)));
}

export interface TestLiveKitOptions {
  /** How long a room stays when nobody ever came. Default 10 s; whole seconds. */
  readonly emptyTimeoutS?: number;
  /** How long a room stays after the last one left. Default 2 s; whole seconds. */
  readonly departureTimeoutS?: number;
  /** `127.0.0.1:6379`: several servers with the same one are nodes of one cluster. */
  readonly redisAddress?: string;
  /** More of livekit-server's configuration, section by section. */
  readonly sections?: LiveKitServerSections;
}

export interface TestLiveKit {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  /** `http://127.0.0.1:…`, for its API. */
  readonly httpUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Ends as a crash would, and starts a new one on the same ports, with no rooms. */
  restart(): Promise<void>;
  /** Ends as a crash would; `restart` starts it again. */
  kill(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Starts livekit-server on free ports of 127.0.0.1. Whoever calls it stops it. */
export async function startTestLiveKit(options: TestLiveKitOptions = {}): Promise<TestLiveKit> {
  if (binary === undefined) throw new Error('startTestLiveKit outside of describeWithLiveKit');
  const { room, ...sections } = options.sections ?? {};
  const start = {
    binary,
    key: KEY,
    sections: {
      ...sections,
      room: {
        auto_create: true,
        empty_timeout: options.emptyTimeoutS ?? 10,
        departure_timeout: options.departureTimeoutS ?? 2,
        ...room,
      },
      ...(options.redisAddress === undefined ? {} : { redis: { address: options.redisAddress } }),
    },
  };
  let server = await retried(() => startLiveKitServer(start));
  const { address } = server;
  return {
    url: server.url,
    httpUrl: server.httpUrl,
    ...KEY,
    get pid() {
      return server.pid;
    },
    async restart() {
      await server.kill();
      server = await retried(() => startLiveKitServer({ ...start, address }));
    },
    kill: () => server.kill(),
    stop: () => server.stop(),
  };
}

/** Another test may have taken the ports between looking and binding. */
async function retried<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === RETRIES) throw error;
    }
  }
}
