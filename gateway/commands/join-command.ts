import type { Command } from 'commander';
import { parseVocabulary } from '../../asr/index.js';
import { CaptionError, type RoomName, roomName } from '../../protocol/index.js';
import { startGateway } from '../gateway.js';
import { goOnAfterErrors } from '../last-handlers.js';
import type { CaptionerEnd } from '../livekit/captioner-end.js';
import type { CommandContext } from './command-context.js';
import { locateModels } from './locate-model.js';
import { detached } from '../../asr/detached.js';

interface JoinFlags {
  readonly language?: string;
  readonly vocabulary: string[];
}

/** `caption-gateway join ROOM`: captions one LiveKit room now, whoever dispatches whatever. */
export function registerJoinCommand(program: Command, context: () => CommandContext): void {
  program
    .command('join')
    .description('caption one LiveKit room now, until everybody has left')
    .argument('<room>', 'name of the room')
    .option('--language <tag>', 'language of the room, for models that know several')
    .option('--vocabulary <phrase...>', 'names and terms: favoured, and spelled so', [])
    .action((room: string, flags: JoinFlags) => join(context(), room, flags));
}

async function join(context: CommandContext, room: string, flags: JoinFlags): Promise<void> {
  const { environment, log, signal, stderr } = context;
  if (environment.settings.LIVEKIT_URL === '') {
    throw new CaptionError(
      'config_invalid',
      'join needs LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; `npm run livekit` starts a server and prints them.',
    );
  }
  const name = roomName(room);
  const vocabulary = parseVocabulary(flags.vocabulary);
  const settingsJson = JSON.stringify({
    ...(flags.language === undefined ? {} : { language: flags.language }),
    ...(vocabulary.length === 0 ? {} : { vocabulary }),
  });
  const models = await locateModels(context);
  const gateway = await startGateway({
    // Beside a gateway that serves on this machine.
    settings: {
      ...environment.settings,
      CAPTION_HOST: '127.0.0.1',
      CAPTION_PORT: 0,
      CAPTION_REPORT: 'memory',
    },
    ...models,
    liveKitRole: 'single_room',
    log,
  });
  const stopGoingOn = goOnAfterErrors(context.giveUp);
  const leave = (): void => detached('end of the gateway', gateway.close());
  try {
    const captioner = await gateway.livekit?.captionRoom(name, { settingsJson });
    if (captioner === undefined) throw new CaptionError('internal_error', 'The gateway has no LiveKit side.');
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    if (stderr.isTTY) stderr.write(`Captioning ${name}; Ctrl-C finishes what is being said and leaves.\n`);
    throwUnlessDone(name, await captioner.ended);
  } finally {
    signal.removeEventListener('abort', leave);
    await gateway.close();
    stopGoingOn();
  }
}

function throwUnlessDone(room: RoomName, end: CaptionerEnd): void {
  switch (end.kind) {
    case 'everybody_left':
    case 'room_closed':
    case 'stopped':
      return;
    case 'removed':
      throw new CaptionError('livekit_removed', `Somebody removed the captioner from room ${room}.`);
    case 'superseded':
      throw new CaptionError('livekit_superseded', `Another captioner took over room ${room}.`);
    case 'failed':
      throw end.error;
  }
}
