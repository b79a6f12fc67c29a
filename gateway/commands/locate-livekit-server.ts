import { environmentWith } from '../config/environment.js';
import { ensureLiveKitServer, LIVEKIT_SERVER_VERSION } from '../livekit/server/find-livekit-server.js';
import type { CommandContext } from './command-context.js';

/** The livekit-server of this machine, built once where there is none. Throws CaptionError `livekit_server_missing`. */
export function locateLiveKitServer({ environment, stderr, signal }: CommandContext): Promise<string> {
  const { settings, workingDir, cacheDir } = environment;
  return ensureLiveKitServer({
    configured: settings.LIVEKIT_SERVER_BIN,
    workingDir,
    cacheDir,
    variables: environmentWith({}),
    signal,
    onBuild: (target) =>
      stderr.write(
        `Building livekit-server ${LIVEKIT_SERVER_VERSION} with Go into ${target}, once; this takes some minutes.\n`,
      ),
  });
}
