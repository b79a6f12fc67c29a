/** The program serving a livekit-server, to be stopped and killed. */
import { type Program, startProgram } from '../../testing/program.js';
import { waitUntil } from '../../testing/wait-until.js';
import type { TestLiveKit } from './livekit-server.js';

export const environmentFor = (server: TestLiveKit): Record<string, string> => ({
  LIVEKIT_URL: server.url,
  LIVEKIT_API_KEY: server.apiKey,
  LIVEKIT_API_SECRET: server.apiSecret,
  CAPTION_PORT: '0',
  CAPTION_RECOGNISERS: '1',
});

/** `serve`, registered with `server`. */
export async function startServing(
  server: TestLiveKit,
  settings: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const program = startProgram(['serve'], { env: { ...environmentFor(server), ...settings } });
  await waitUntil(
    () =>
      program.stderr().includes('registered with LiveKit') ? undefined : `registered: ${program.stderr()}`,
    60_000,
  );
  return program;
}
