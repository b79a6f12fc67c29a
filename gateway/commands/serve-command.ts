import type { Command } from 'commander';
import { gatewayAddress } from '../../protocol/index.js';
import { startGateway } from '../gateway.js';
import { goOnAfterErrors } from '../last-handlers.js';
import type { CommandContext } from './command-context.js';
import { locateModels } from './locate-model.js';

/** `caption-gateway serve`: runs until SIGINT or SIGTERM, then finishes what is being said. */
export function registerServeCommand(program: Command, context: () => CommandContext): void {
  program
    .command('serve')
    .description('run the gateway: WebSocket ingest, captions, health and metrics')
    .action(() => serve(context()));
}

async function serve(context: CommandContext): Promise<void> {
  const { environment, log, signal, stderr, giveUp } = context;
  const models = await locateModels(context);
  const gateway = await startGateway({ settings: environment.settings, ...models, log });
  const publicUrl = environment.settings.CAPTION_PUBLIC_URL || gateway.url;
  const stopGoingOn = goOnAfterErrors(giveUp);
  log.info({ url: gateway.url, model: models.model.id, precision: models.model.precision }, 'gateway ready');
  if (stderr.isTTY) stderr.write(`Captions of a room: ${gatewayAddress(publicUrl, '')}?room=NAME\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  log.info('shutting down');
  await gateway.close();
  stopGoingOn();
}
