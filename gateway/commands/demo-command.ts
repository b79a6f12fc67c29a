import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CaptionError } from '../../protocol/index.js';
import { createPlainView, type DemoView } from '../demo/demo-view.js';
import { createLiveView } from '../demo/live-view.js';
import { formatDemoResult } from '../demo/result-table.js';
import { runDemo } from '../demo/run-demo.js';
import { startGateway } from '../gateway.js';
import { createLogger } from '../log.js';
import { loadMeeting, type Meeting, meetingOfWavFiles } from '../meeting/meeting.js';
import { type CommandContext, printJson } from './command-context.js';
import { locateModels } from './locate-model.js';

const DEFAULT_MEETING = new URL('../../../fixtures/meetings/demo-meeting.json', import.meta.url);
const MAX_SPEED = 20;

interface DemoFlags {
  readonly meeting?: string;
  readonly wav?: string[];
  readonly speed: string;
  readonly json?: boolean;
}

/** `caption-gateway demo`: several people talk, and while they talk everyone sees who says what. */
export function registerDemoCommand(program: Command, context: () => CommandContext): void {
  program
    .command('demo')
    .description('play a meeting through the real gateway and show its captions')
    .option('--meeting <file>', 'timeline of a meeting, as in fixtures/meetings')
    .option('--wav <file...>', 'one speaker per WAV file instead of a meeting')
    .option('--speed <factor>', `1 plays at the pace of speech, at most ${MAX_SPEED}`, '1')
    .option('--json', 'print one JSON document instead of captions and table')
    .action((flags: DemoFlags) => demo(context(), flags));
}

async function demo(context: CommandContext, flags: DemoFlags): Promise<void> {
  const speed = Number(flags.speed);
  if (!(speed > 0 && speed <= MAX_SPEED)) {
    throw new CaptionError('usage_speed', `--speed must be a number above 0, at most ${MAX_SPEED}.`);
  }
  const meeting = await chooseMeeting(flags);
  const { environment, stdout, stderr, signal } = context;
  const models = await locateModels(context);
  const settings = {
    ...environment.settings,
    // Its own gateway: on loopback, on any free port, for its own clients only, and as fast as asked for.
    CAPTION_HOST: '127.0.0.1',
    CAPTION_PORT: 0,
    LIVEKIT_URL: '',
    LIVEKIT_API_KEY: '',
    LIVEKIT_API_SECRET: '',
    CAPTION_INGEST_AHEAD_S: 86_400,
  };
  const isLive = stdout.isTTY && flags.json !== true;
  // Log lines would tear the live view apart; what matters is in it.
  const log = isLive || flags.json === true ? createLogger('silent') : context.log;
  const gateway = await startGateway({ settings, ...models, log });
  try {
    const output = flags.json === true ? stderr : stdout;
    output.write(`${meeting.title}: ${meeting.tracks.map(({ name }) => name).join(', ')}\n`);
    output.write(`Watch it in a browser: ${gateway.url}/?room=demo\n\n`);
    const view: DemoView = isLive ? createLiveView(meeting, stdout) : createPlainView(meeting, output);
    const result = await runDemo({
      gateway,
      meeting,
      speed,
      signal,
      shown: (state, message) => view.show(state, message),
    }).finally(() => view.close());
    if (flags.json === true) printJson(context, result);
    else stdout.write(`\n${formatDemoResult(result)}`);
  } finally {
    await gateway.close();
  }
}

function chooseMeeting(flags: DemoFlags): Promise<Meeting> {
  if (flags.wav !== undefined && flags.meeting !== undefined) {
    throw new CaptionError('usage_meeting', 'Give either --meeting or --wav.');
  }
  if (flags.wav !== undefined) return meetingOfWavFiles(flags.wav);
  return loadMeeting(flags.meeting ?? fileURLToPath(DEFAULT_MEETING));
}
