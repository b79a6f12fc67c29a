/**
 * Where livekit-server comes from: LIVEKIT_SERVER_BIN, `livekit-server` on PATH, or one built once with Go from LiveKit's
 * official module into the user's cache.
 */
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { CaptionError, errorMessage } from '../../../protocol/index.js';
import { runProgram } from './run-program.js';

/** The version that tests and CI run. v1.13.0 cannot be built this way: its go.mod has `replace`. */
export const LIVEKIT_SERVER_VERSION = 'v1.13.5';
export const LIVEKIT_SERVER_IMAGE = `livekit/livekit-server:${LIVEKIT_SERVER_VERSION}`;
const GO_PACKAGE = `github.com/livekit/livekit-server/cmd/server@${LIVEKIT_SERVER_VERSION}`;
/** The binary that this package makes: called after its folder. */
const GO_BINARY = 'server';
const BUILD_DEADLINE_MS = 20 * 60_000;

export interface LiveKitServerPlaces {
  /** LIVEKIT_SERVER_BIN; empty for none. */
  readonly configured: string;
  readonly workingDir: string;
  /** The user's cache: `XDG_CACHE_HOME`, else `~/.cache`. */
  readonly cacheDir: string;
  /** What PATH is looked up in, and what a build is given. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export interface EnsureLiveKitServerOptions extends LiveKitServerPlaces {
  readonly signal?: AbortSignal | undefined;
  /** A build begins: minutes, and some hundred megabytes to download. */
  readonly onBuild?: ((target: string) => void) | undefined;
}

/** Where a build is kept. */
export const builtLiveKitServer = ({ workingDir, cacheDir }: LiveKitServerPlaces): string =>
  resolve(workingDir, cacheDir, 'caption-gateway', 'bin', `livekit-server-${LIVEKIT_SERVER_VERSION}`);

/**
 * The first livekit-server there is, without building one; undefined for none. Throws CaptionError
 * `livekit_server_missing` when LIVEKIT_SERVER_BIN names no program.
 */
export async function findLiveKitServer(places: LiveKitServerPlaces): Promise<string | undefined> {
  if (places.configured !== '') {
    const configured = resolve(places.workingDir, places.configured);
    if (await isProgram(configured)) return configured;
    throw missing(`LIVEKIT_SERVER_BIN is ${configured}, which is no program.`);
  }
  const built = builtLiveKitServer(places);
  return (await onPath('livekit-server', places)) ?? ((await isProgram(built)) ? built : undefined);
}

/** The first livekit-server there is, else one built now. Throws CaptionError `livekit_server_missing`. */
export async function ensureLiveKitServer(options: EnsureLiveKitServerOptions): Promise<string> {
  const found = await findLiveKitServer(options);
  if (found !== undefined) return found;
  const go = await onPath('go', options);
  if (go === undefined) throw missing('There is no livekit-server, and no Go to build one with.');
  return build(go, options);
}

async function build(go: string, options: EnsureLiveKitServerOptions): Promise<string> {
  const target = builtLiveKitServer(options);
  const folder = resolve(target, '..');
  options.onBuild?.(target);
  let scratch: string | undefined;
  try {
    await mkdir(folder, { recursive: true });
    scratch = await mkdtemp(join(folder, '.building-'));
    const { exitCode, output } = await runProgram(go, ['install', GO_PACKAGE], {
      variables: { ...options.variables, GOBIN: scratch },
      deadlineMs: BUILD_DEADLINE_MS,
      signal: options.signal,
    });
    if (exitCode !== 0)
      throw new Error(`go install ended with exit code ${exitCode ?? 'unknown'}:\n${output}`);
    // Two that build at once both succeed: the last one's binary stays.
    await rename(join(scratch, GO_BINARY), target);
    return target;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw missing(`livekit-server could not be built: ${errorMessage(error)}`, error);
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

const missing = (what: string, cause?: unknown): CaptionError =>
  new CaptionError(
    'livekit_server_missing',
    `${what} Set LIVEKIT_SERVER_BIN, or put livekit-server on PATH, or install Go 1.26 so that ` +
      `\`go install ${GO_PACKAGE}\` can build it; or run the container image ${LIVEKIT_SERVER_IMAGE} and set LIVEKIT_URL.`,
    { cause },
  );

async function onPath(
  name: string,
  { variables, workingDir }: LiveKitServerPlaces,
): Promise<string | undefined> {
  for (const folder of (variables['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const candidate = resolve(workingDir, folder, name);
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
