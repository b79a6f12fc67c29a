/** The program, with transcripts on disk and a webhook. */
import { type Program, startProgram } from './program.js';
import { waitFor } from './wait-until.js';
import { SECRET } from './told-application.js';

/** Whoever calls it kills it. */
export async function startKeepingGateway(
  dir: string,
  hook: string,
): Promise<Program & { readonly url: string }> {
  const program = startProgram(['serve'], {
    env: {
      CAPTION_PORT: '0',
      CAPTION_RECOGNISERS: '1',
      CAPTION_TRANSCRIPT: 'disk',
      CAPTION_TRANSCRIPT_DIR: dir,
      CAPTION_WEBHOOK_URL: hook,
      CAPTION_WEBHOOK_SECRET: SECRET,
    },
  });
  const url = await waitFor('the gateway is not ready', () => /"url":"([^"]+)"/.exec(program.stderr())?.[1]);
  return { ...program, url };
}
