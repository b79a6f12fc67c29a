import type { Command } from 'commander';
import { CaptionError } from '../../protocol/index.js';
import { DEVELOPMENT_ADDRESS, DEVELOPMENT_KEY } from '../livekit/server/livekit-server-config.js';
import { startLiveKitServer } from '../livekit/server/livekit-server-process.js';
import type { CommandContext } from './command-context.js';
import { locateLiveKitServer } from './locate-livekit-server.js';
import { detached } from '../../asr/detached.js';

interface LiveKitFlags {
  readonly port: string;
  readonly udpPort: string;
  readonly printBinary?: boolean;
}

/** `caption-gateway livekit`: a livekit-server of one's own, for development, until SIGINT or SIGTERM. */
export function registerLiveKitCommand(program: Command, context: () => CommandContext): void {
  const { port, udpPort } = DEVELOPMENT_ADDRESS;
  program
    .command('livekit')
    .description('run a livekit-server for development, on this machine only')
    .option('--port <port>', 'TCP port for signalling and API', String(port))
    .option('--udp-port <port>', 'UDP port for media', String(udpPort))
    .option('--print-binary', 'say where the server’s program is, build it if there is none, and end')
    .action((flags: LiveKitFlags) => livekit(context(), flags));
}

async function livekit(context: CommandContext, flags: LiveKitFlags): Promise<void> {
  const { stdout, signal } = context;
  const address = { port: parsePort(flags.port), udpPort: parsePort(flags.udpPort) };
  const binary = await locateLiveKitServer(context);
  if (flags.printBinary === true) {
    stdout.write(`${binary}\n`);
    return;
  }
  const server = await startLiveKitServer({
    binary,
    key: DEVELOPMENT_KEY,
    address,
    signal,
  });
  stdout.write(
    `export LIVEKIT_URL=${server.url}\n` +
      `export LIVEKIT_API_KEY=${DEVELOPMENT_KEY.apiKey}\n` +
      `export LIVEKIT_API_SECRET=${DEVELOPMENT_KEY.apiSecret}\n`,
  );
  context.stderr.write(
    'livekit-server runs on this machine only. Copy these lines into the shell of the gateway; Ctrl-C ends it.\n',
  );
  const stop = (): void => detached('end of livekit-server', server.stop());
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const { log } = await server.exited;
  if (!signal.aborted) {
    throw new CaptionError(
      'livekit_server_failed',
      `livekit-server ended by itself. The end of its log:\n${log}`,
    );
  }
}

function parsePort(raw: string): number {
  const port = Number(raw);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new CaptionError('usage_port', `"${raw}" is no port; give a number from 1 to 65535.`);
}
