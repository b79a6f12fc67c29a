/** What a measurement needs running: a gateway, and for LiveKit a server beside it. */
import { CaptionError } from '../protocol/index.js';
import { environmentWith, readEnvironment } from '../gateway/index.js';
import {
  disposeSdk,
  ensureLiveKitServer,
  type LiveKitAccess,
  startLiveKitServer,
} from '../gateway/livekit/index.js';
import { GatewayProcess } from './gateway-process.js';
import { ingestVenue } from './ingest-venue.js';
import { liveKitVenue } from './livekit-venue.js';
import type { ProcessUsage } from './process-usage.js';
import type { Venue } from './venue.js';

export const BENCH_AGENT_NAME = 'bench-captions';
/** Of nobody else. */
export const BENCH_KEY = { apiKey: 'bench', apiSecret: 'a secret of the bench, of at least 32 characters' };
const READY_DEADLINE_MS = 20_000;
const POLL_INTERVAL_MS = 50;

/** A road, and the processes at its other end. */
export interface MeasuredVenue {
  readonly venue: Venue;
  /** Undefined for a gateway that runs already: nothing of it can be measured. */
  readonly gateway: { readonly model: string; usage(): ProcessUsage } | undefined;
  /** The last thing that a process does with it. */
  close(): Promise<void>;
}

export interface Stage extends MeasuredVenue {
  readonly gateway: GatewayProcess | undefined;
}

/** How speech comes to the gateway, and captions to viewers. */
export type Road = 'websocket' | 'livekit';

export interface LiveKitStage extends Stage {
  readonly gateway: GatewayProcess;
  readonly server: LiveKitAccess & { readonly httpUrl: string };
  readonly agentName: string;
}

/** A gateway of its own, or the one at `url`. */
export async function ingestStage(
  url?: string,
  gatewayEnvironment: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const gateway = url === undefined ? await GatewayProcess.start(gatewayEnvironment) : undefined;
  return {
    venue: ingestVenue(gateway?.url ?? url ?? ''),
    gateway,
    close: async () => gateway?.close(),
  };
}

export interface LiveKitStageOptions {
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
  /** Settings of the gateway besides those that LiveKit needs. */
  readonly gatewayEnvironment?: Readonly<Record<string, string>>;
  /** The SDK is used again after `close`; whoever says so calls `disposeSdk` in the end. Default false. */
  readonly keepsSdk?: boolean;
}

/** livekit-server on loopback, found or built as `npm run livekit` does. Whoever starts it stops it. */
export async function startBenchLiveKit({
  output,
  signal,
}: Pick<LiveKitStageOptions, 'output' | 'signal'>): Promise<{
  server: LiveKitStage['server'];
  stop: () => Promise<void>;
}> {
  const { settings, workingDir, cacheDir } = readEnvironment();
  const binary = await ensureLiveKitServer({
    configured: settings.LIVEKIT_SERVER_BIN,
    workingDir,
    cacheDir,
    variables: environmentWith({}),
    signal,
    onBuild: (target) => output.write(`building livekit-server once: ${target}\n`),
  });
  const livekit = await startLiveKitServer({ binary, key: BENCH_KEY });
  return {
    server: { url: livekit.url, httpUrl: livekit.httpUrl, ...BENCH_KEY },
    stop: () => livekit.stop(),
  };
}

/** A livekit-server, and a gateway that is registered with it. */
export async function liveKitStage(options: LiveKitStageOptions): Promise<LiveKitStage> {
  const { server, stop } = await startBenchLiveKit(options);
  let gateway: GatewayProcess | undefined;
  const close = async (): Promise<void> => {
    await gateway?.close();
    await stop();
    if (options.keepsSdk !== true) await disposeSdk();
  };
  try {
    gateway = await GatewayProcess.start({
      ...liveKitSettings(server.url),
      ...options.gatewayEnvironment,
    });
    await untilReady(gateway.url);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    venue: liveKitVenue(server, { agentName: BENCH_AGENT_NAME }),
    gateway,
    server,
    agentName: BENCH_AGENT_NAME,
    close,
  };
}

/** Settings of a gateway that captions rooms of this server. */
export const liveKitSettings = (url: string): Readonly<Record<string, string>> => ({
  LIVEKIT_URL: url,
  LIVEKIT_API_KEY: BENCH_KEY.apiKey,
  LIVEKIT_API_SECRET: BENCH_KEY.apiSecret,
  TRANSCRIBER_AGENT_NAME: BENCH_AGENT_NAME,
});

export async function untilReady(url: string): Promise<void> {
  const givesUpAtMs = performance.now() + READY_DEADLINE_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_DEADLINE_MS) });
    const text = await response.text();
    if (response.ok) return;
    if (performance.now() > givesUpAtMs)
      throw new CaptionError('gateway_not_started', `The gateway did not register with LiveKit: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}
