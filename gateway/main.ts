#!/usr/bin/env -S node --max-semi-space-size=2
/** Entry of the program: arguments, signals, exit codes. No other file of gateway/ ends the process. */
import { Command } from 'commander';
import { useProxies } from '../asr/index.js';
import { CaptionError } from '../protocol/index.js';
import type { CommandContext } from './commands/command-context.js';
import { registerDemoCommand } from './commands/demo-command.js';
import { EXIT, exitCodeOnceSettled, reportFailure } from './commands/exit-codes.js';
import { helpText } from './commands/help-text.js';
import { registerJoinCommand } from './commands/join-command.js';
import { registerLiveKitCommand } from './commands/livekit-command.js';
import { modelPlaces } from './commands/locate-model.js';
import { registerModelsCommand } from './commands/models-command.js';
import { registerProbeCommand } from './commands/probe-command.js';
import { registerReportCommand } from './commands/report-command.js';
import { registerServeCommand } from './commands/serve-command.js';
import { registerTranscribeCommand } from './commands/transcribe-command.js';
import { readEnvironment } from './config/environment.js';
import { disposeSdk } from './livekit/dispose-sdk.js';
import { createLogger } from './log.js';

const interruption = new AbortController();
let interruptions = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruptions += 1;
    // The second time somebody means it.
    if (interruptions > 1) process.exit(EXIT.failed);
    interruption.abort(new CaptionError('interrupted', 'Interrupted.'));
  });
}
// A reader that goes away (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.good : EXIT.failed),
);

process.exitCode = await exitCodeOnceSettled(run(process.argv), 'caption-gateway');

async function run(argv: readonly string[]): Promise<number> {
  let failure: CaptionError | undefined;
  try {
    const environment = readEnvironment();
    useProxies(environment.proxies);
    const context: CommandContext = {
      environment,
      stdout: process.stdout,
      stderr: process.stderr,
      log: createLogger(environment.settings.CAPTION_LOG_LEVEL),
      signal: interruption.signal,
      giveUp(error) {
        failure = error;
        interruption.abort(error);
      },
    };
    await createProgram(context).parseAsync(argv);
    if (failure !== undefined) throw failure;
    return EXIT.good;
  } catch (error) {
    return reportFailure(error, 'caption-gateway');
  } finally {
    await disposeSdk();
  }
}

function createProgram(context: CommandContext): Command {
  const program = new Command('caption-gateway')
    .description('Live captions for meetings, on your own machines.')
    .helpOption('-h, --help', 'tell all of it')
    .addHelpText('after', helpText())
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  registerServeCommand(program, () => context);
  registerDemoCommand(program, () => context);
  registerTranscribeCommand(program, () => context);
  registerJoinCommand(program, () => context);
  registerLiveKitCommand(program, () => context);
  registerReportCommand(program, () => context);
  registerProbeCommand(program, () => context);
  const { stdout, stderr, signal } = context;
  registerModelsCommand(program, {
    ...modelPlaces(context.environment),
    stdout,
    stderr,
    isTty: stderr.isTTY,
    signal,
  });
  return program;
}
