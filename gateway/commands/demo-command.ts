import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CaptionError } from '../../protocol/index.js';
import type { Settings } from '../config/settings.js';
import { createPlainView, type DemoView } from '../demo/demo-view.js';
import { createLiveView } from '../demo/live-view.js';
import { formatDemoResult } from '../demo/result-table.js';
import { type DemoOptions, runDemo } from '../demo/run-demo.js';
import { type Gateway, startGateway } from '../gateway.js';
import { createLogger } from '../log.js';
import { loadMeeting, type Meeting, meetingOfWavFiles } from '../meeting/meeting.js';
import { terminalText } from '../terminal-text.js';
import { type CommandContext, printJson } from './command-context.js';
import { locateLiveKitServer } from './locate-livekit-server.js';
import { locateModels } from './locate-model.js';

const DEFAULT_MEETING = new URL('../../../fixtures/meetings/demo-meeting.json', import.meta.url);
const MAX_SPEED = 20;

interface DemoFlags {
  readonly meeting?: string;
  readonly wav?: string[];
  readonly speed: string;
  readonly json?: boolean;
  readonly livekit?: boolean;
}

/** How a gateway is reached in this demo: its settings, the address for a browser, and the way its speakers take. */
interface Surroundings {
  readonly settings: Partial<Settings>;
  readonly browserAddress: (gateway: Gateway) => Promise<string>;
  readonly openStage: (gateway: Gateway) => Pick<DemoOptions, 'openStage'>;
  /** After the gateway. */
  readonly close: () => Promise<void>;
}

/** `caption-gateway demo`: several people talk, and while they talk everyone sees who says what. */
export function registerDemoCommand(program: Command, context: () => CommandContext): void {
  program
    .command('demo')
    .description('play a meeting through the real gateway and show its captions')
    .option('--meeting <file>', 'timeline of a meeting, as in fixtures/meetings')
    .option('--wav <file...>', 'one speaker per WAV file instead of a meeting')
    .option('--speed <factor>', `1 plays at the pace of speech, at most ${MAX_SPEED}`, '1')
    .option('--livekit', 'in a room of a livekit-server of its own, at the pace of speech')
    .option('--json', 'print one JSON document instead of captions and table')
    .action((flags: DemoFlags) => demo(context(), flags));
}

async function demo(context: CommandContext, flags: DemoFlags): Promise<void> {
  const speed = Number(flags.speed);
  if (!(speed > 0 && speed <= MAX_SPEED)) {
    throw new CaptionError('usage_speed', `--speed must be a number above 0, at most ${MAX_SPEED}.`);
  }
  if (flags.livekit === true && speed !== 1) {
    throw new CaptionError(
      'usage_speed',
      'With --livekit everybody speaks at the pace of speech: leave --speed out.',
    );
  }
  const meeting = await chooseMeeting(flags);
  const models = await locateModels(context);
  const surroundings = flags.livekit === true ? await inLiveKit(context) : onWebSockets;
  try {
    await play(context, { isJson: flags.json === true, meeting, speed, models, surroundings });
  } finally {
    await surroundings.close();
  }
}

async function play(
  context: CommandContext,
  options: {
    readonly isJson: boolean;
    readonly meeting: Meeting;
    readonly speed: number;
    readonly models: Awaited<ReturnType<typeof locateModels>>;
    readonly surroundings: Surroundings;
  },
): Promise<void> {
  const { isJson, meeting, speed, models, surroundings } = options;
  const { environment, stdout, stderr, signal } = context;
  const settings = {
    ...environment.settings,
    // Its own gateway: on loopback, on any free port, for its own clients only, and as fast as asked for.
    CAPTION_HOST: '127.0.0.1',
    CAPTION_PORT: 0,
    CAPTION_REPORT: 'memory',
    LIVEKIT_URL: '',
    LIVEKIT_API_KEY: '',
    LIVEKIT_API_SECRET: '',
    CAPTION_INGEST_AHEAD_S: 86_400,
    ...surroundings.settings,
  };
  const isLive = stdout.isTTY && !isJson;
  // Log lines would tear the live view apart; what matters is in it.
  const log = isLive || isJson ? createLogger('silent') : context.log;
  const gateway = await startGateway({ settings, ...models, log });
  try {
    const output = isJson ? stderr : stdout;
    output.write(terminalText(`${meeting.title}: ${meeting.tracks.map(({ name }) => name).join(', ')}\n`));
    output.write(`Watch it in a browser: ${await surroundings.browserAddress(gateway)}\n\n`);
    const view: DemoView = isLive ? createLiveView(meeting, stdout) : createPlainView(meeting, output);
    const result = await runDemo({
      gateway,
      ...surroundings.openStage(gateway),
      meeting,
      speed,
      signal,
      shown: (state, message) => view.show(state, message),
    }).finally(() => view.close());
    if (isJson) printJson(context, result);
    else stdout.write(`\n${formatDemoResult(result)}`);
  } finally {
    await gateway.close();
  }
}

const onWebSockets: Surroundings = {
  settings: {},
  browserAddress: ({ url }) => Promise.resolve(`${url}/?room=demo`),
  openStage: () => ({}),
  close: () => Promise.resolve(),
};

/** The SDK's native library is loaded only where it is wanted. */
async function inLiveKit(context: CommandContext): Promise<Surroundings> {
  const { disposeSdk } = await import('../livekit/index.js');
  const { demoRoomAddress, liveKitStage, startDemoLiveKit } = await import('../demo/livekit-demo.js');
  const server = await startDemoLiveKit(await locateLiveKitServer(context), context.signal);
  const agentName = context.environment.settings.TRANSCRIBER_AGENT_NAME;
  return {
    settings: {
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret,
      // Nobody else's rooms, and no encryption in this one.
      CAPTION_REDIS_URL: '',
      CAPTION_E2EE_KEY: '',
      CAPTION_E2EE_KEY_URL: '',
    },
    browserAddress: (gateway) => demoRoomAddress(gateway, server),
    openStage: (gateway) => ({ openStage: liveKitStage({ server, gateway, agentName }) }),
    async close() {
      await server.stop();
      await disposeSdk();
    },
  };
}

function chooseMeeting(flags: DemoFlags): Promise<Meeting> {
  if (flags.wav !== undefined && flags.meeting !== undefined) {
    throw new CaptionError('usage_meeting', 'Give either --meeting or --wav.');
  }
  if (flags.wav !== undefined) return meetingOfWavFiles(flags.wav);
  return loadMeeting(flags.meeting ?? fileURLToPath(DEFAULT_MEETING));
}
