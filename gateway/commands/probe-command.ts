import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CaptionError, MAX_NAME_CHARS, roomName } from '../../protocol/index.js';
import { watchStrayErrors } from '../../asr/detached.js';
import { goOnAfterErrors } from '../last-handlers.js';
import { pause } from '../pause.js';
import { ProbeMetrics } from '../probe/probe-metrics.js';
import type { ProbeRoad } from '../probe/probe-road.js';
import { loadSentences } from '../probe/probe-sentences.js';
import { Prober, type ProbeResult } from '../probe/prober.js';
import { webSocketRoad } from '../probe/websocket-road.js';
import { type CommandContext, printJson } from './command-context.js';
import { ownAddress } from './report-command.js';
import { machineClockMs } from '../clock.js';

interface ProbeFlags {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly url?: string;
  readonly room: string;
  readonly interval: string;
  readonly maxLatency: string;
  readonly maxWer: string;
  readonly manifest?: string;
  readonly host: string;
  readonly port: string;
}

/** `caption-gateway probe`: a person in a canary room who speaks and reads, for monitoring. */
export function registerProbeCommand(program: Command, context: () => CommandContext): void {
  program
    .command('probe')
    .description('speak in a canary room and read along: end-to-end latency, word errors, availability')
    .option('--once', 'say one sentence and end: exit code 0 when it was captioned as it should be')
    .option('--json', 'with --once: print one JSON document')
    .option('--url <url>', 'over WebSocket through this gateway, in place of the rooms of LIVEKIT_URL')
    .option('--room <name>', 'the canary room', 'caption-probe')
    .option('--interval <seconds>', 'from one sentence to the next', '60')
    .option('--max-latency <ms>', 'p95 of the words of a sentence, at most', '3000')
    .option('--max-wer <percent>', 'errors for each hundred words, at most', '50')
    .option('--manifest <file>', 'other sentences, in the form of fixtures/speech/manifest.json')
    .option('--host <host>', 'address for Prometheus to read /metrics from', '127.0.0.1')
    .option('--port <port>', 'its port; 0 takes a free one', '9765')
    .action((flags: ProbeFlags) => probe(context(), flags));
}

async function probe(context: CommandContext, flags: ProbeFlags): Promise<void> {
  const { environment, signal } = context;
  const intervalMs = wholeNumber('--interval', flags.interval, [1, 86_400]) * 1000;
  const port = wholeNumber('--port', flags.port, [0, 65_535]);
  const prober = new Prober({
    road: await roadOf(context, flags),
    sentences: await loadSentences(
      flags.manifest === undefined ? undefined : resolve(environment.workingDir, flags.manifest),
    ),
    maxLatencyMs: wholeNumber('--max-latency', flags.maxLatency, [1, 60_000]),
    maxWer: wholeNumber('--max-wer', flags.maxWer, [0, 1000]) / 100,
    signal,
  });
  try {
    if (flags.once === true) await probeOnce(context, prober, flags);
    else await probeForEver(context, prober, { intervalMs, host: flags.host, port });
  } finally {
    await prober.close();
  }
}

async function probeOnce(context: CommandContext, prober: Prober, flags: ProbeFlags): Promise<void> {
  const result = await prober.probe();
  if (flags.json === true) printJson(context, withoutSamples(result));
  else if (result.outcome === 'ok') context.stdout.write(`${describe(result)}\n`);
  if (result.outcome === 'ok') return;
  const reason = `${result.outcome}: ${result.reason}`;
  // A server that could not be reached keeps its own code, and with it the exit code.
  if (result.code !== null) throw new CaptionError(result.code, reason);
  throw new CaptionError('probe_failed', reason);
}

/** Until SIGINT or SIGTERM. */
async function probeForEver(
  context: CommandContext,
  prober: Prober,
  options: { intervalMs: number; host: string; port: number },
): Promise<void> {
  const { log, signal, giveUp } = context;
  const metrics = new ProbeMetrics();
  const stopWatching = watchStrayErrors(({ what, error }) =>
    log.error({ err: error, what }, 'error that nobody waited for'),
  );
  const stopGoingOn = goOnAfterErrors(giveUp);
  const server = await serveMetrics(metrics, options);
  const { port } = server.address() as AddressInfo;
  log.info({ url: `http://${options.host}:${port}/metrics` }, 'probe ready');
  try {
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const result = await prober.probe();
      metrics.record(result, machineClockMs());
      const { outcome, reason, wordLatencyMs, sentence } = result;
      const p95Ms = wordLatencyMs.p95 === null ? null : Math.round(wordLatencyMs.p95);
      if (outcome === 'ok') log.info({ outcome, sentence, p95Ms }, 'probed');
      else log.warn({ outcome, reason, sentence, p95Ms }, 'probed');
      await pause(Math.max(0, options.intervalMs - (performance.now() - startedAtMs)), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    stopGoingOn();
    stopWatching();
  }
}

function serveMetrics(
  metrics: ProbeMetrics,
  { host, port }: { host: string; port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.registry.metrics().then(
      (text) => response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return new Promise((ready, reject) => {
    server.once('error', (error) =>
      reject(new CaptionError('address_unavailable', `Cannot listen on ${host}:${port}: ${error.message}`)),
    );
    server.listen(port, host, () => ready(server));
  });
}

async function roadOf({ environment }: CommandContext, flags: ProbeFlags): Promise<ProbeRoad> {
  const { settings } = environment;
  if (flags.room === '' || flags.room.length > MAX_NAME_CHARS)
    throw new CaptionError('usage_room', `--room must have 1 to ${MAX_NAME_CHARS} characters.`);
  const room = roomName(flags.room);
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = settings;
  if (flags.url !== undefined || url === '')
    return webSocketRoad({ url: flags.url ?? ownAddress(settings), room, apiKey, apiSecret });
  if (apiKey === '')
    throw new CaptionError('config_invalid', 'LIVEKIT_URL needs LIVEKIT_API_KEY and LIVEKIT_API_SECRET.');
  // The SDK's native library is loaded only where it is wanted.
  const { liveKitRoad } = await import('../probe/livekit-road.js');
  return liveKitRoad({
    server: { url, apiKey, apiSecret },
    room,
    agentName: settings.TRANSCRIBER_AGENT_NAME,
  });
}

/** A summary of the latencies is enough to read. */
function withoutSamples(result: ProbeResult): object {
  const entries = Object.entries(result).filter(([name]) => name !== 'wordLatenciesMs');
  return Object.fromEntries(entries);
}

function describe({
  wordLatencyMs,
  finalLatencyMs,
  wordErrors,
  spokenWords,
  road,
  sentence,
}: ProbeResult): string {
  const ms = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);
  return `ok over ${road}: ${sentence}, words p50 ${ms(wordLatencyMs.p50)}, p95 ${ms(wordLatencyMs.p95)}, final ${ms(finalLatencyMs)}, ${wordErrors} errors in ${spokenWords} words`;
}

function wholeNumber(name: string, raw: string, [min, max]: readonly [number, number]): number {
  const value = Number(raw);
  if (raw.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CaptionError('usage_number', `${name} must be a whole number from ${min} to ${max}.`);
}
