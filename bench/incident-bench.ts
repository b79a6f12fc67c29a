/**
 * `bench incident`: people talk, things go wrong, and the gateway's own report of that time must say when and in which stage. Definitions:
 * README of this folder.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CaptionError } from '../protocol/index.js';
import { type ReportData, wallClockMs } from '../gateway/index.js';
import { busiestRecogniser } from './busiest-recogniser.js';
import { scheduleSpeakers } from './clip-schedule.js';
import { GatewayProcess } from './gateway-process.js';
import { ingestVenue } from './ingest-venue.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { playSpeakers } from './play-speakers.js';
import { ShakyNetwork } from './shaky-network.js';

/** When, as shares of the run: far from each other and from both ends. */
const STALL_AT = 0.35;
const KILL_AT = 0.7;
const MINUTE_MS = 60_000;

export interface IncidentOptions {
  readonly manifest: string;
  readonly speakers: number;
  readonly seconds: number;
  /** How long nothing arrives that speakers send. */
  readonly stallSeconds: number;
  /** Where the gateway's report goes: incident.html and incident.json. */
  readonly folder: string;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** What went wrong, or was reported to have; Unix time. */
export interface Incident {
  readonly kind: 'network stall' | 'recogniser killed';
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether the report names it at its time, and a stall in its stage. */
  readonly isReported: boolean;
}

export interface IncidentResult {
  readonly incidents: readonly Incident[];
  /** What the report says stood out, word for word its `findings`. */
  readonly findings: ReportData['findings'];
  readonly files: readonly string[];
  readonly speakers: number;
  readonly seconds: number;
  readonly model: string;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** Throws what `loadClips`, starting a gateway, connecting and writing files throw. */
export async function runIncidentBench(options: IncidentOptions): Promise<IncidentResult> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest);
  const schedules = scheduleSpeakers(clips, options);
  const failures: string[] = [];
  const gateway = await GatewayProcess.start();
  const over = new AbortController();
  let network: ShakyNetwork | undefined;
  try {
    network = await ShakyNetwork.before(gateway.url);
    const fromMs = wallClockMs();
    const breaking = breakThings({ ...options, gateway, network, signal: over.signal });
    const played = playSpeakers({
      venue: ingestVenue(gateway.url, { speakersUrl: network.url, reports: true }),
      rooms: 'incident',
      schedules,
      failed: (reason) => failures.push(reason),
      signal: options.signal,
    }).finally(() => over.abort());
    const [broken] = await Promise.all([breaking, played]);
    const window = { fromMs, toMs: wallClockMs() };
    const data = JSON.parse(await reportOf(gateway, { ...window, format: 'json' })) as ReportData;
    const incidents = broken.map((incident) => ({ ...incident, isReported: isReported(incident, data) }));
    for (const { kind, isReported: isNamed } of incidents)
      if (!isNamed) failures.push(`the report does not name the ${kind} at its time and place`);
    await mkdir(options.folder, { recursive: true });
    const files = [];
    for (const format of ['html', 'json'] as const) {
      const path = join(options.folder, `incident.${format}`);
      await writeFile(path, await reportOf(gateway, { ...window, format }));
      files.push(path);
    }
    return {
      incidents,
      findings: data.findings,
      files,
      speakers: options.speakers,
      seconds: options.seconds,
      model: gateway.model,
      failures,
      machine,
    };
  } finally {
    over.abort();
    await network?.close();
    await gateway.close();
  }
}

/** Resolves with what went wrong when, also when the meeting ended before all of it had. */
async function breakThings(options: {
  readonly seconds: number;
  readonly stallSeconds: number;
  readonly gateway: GatewayProcess;
  readonly network: ShakyNetwork;
  readonly output: NodeJS.WritableStream;
  /** The meeting is over. */
  readonly signal: AbortSignal;
}): Promise<Omit<Incident, 'isReported'>[]> {
  const { seconds, stallSeconds, gateway, network, output, signal } = options;
  const incidents: Omit<Incident, 'isReported'>[] = [];
  const waiting = async (durationS: number): Promise<void> => {
    await pause(durationS * 1000, undefined, { signal }).catch(() => undefined);
  };
  const note = (kind: Incident['kind'], fromMs: number): void => {
    const toMs = wallClockMs();
    incidents.push({ kind, fromMs, toMs });
    output.write(`${kind}: ${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}\n`);
  };
  await waiting(seconds * STALL_AT);
  const stalledAtMs = wallClockMs();
  const resume = network.stall();
  await waiting(stallSeconds);
  resume();
  note('network stall', stalledAtMs);
  await waiting(seconds * (KILL_AT - STALL_AT) - stallSeconds);
  const recogniser = await busiestRecogniser(gateway.pid);
  if (recogniser === undefined || signal.aborted) return incidents;
  process.kill(recogniser, 'SIGKILL');
  note('recogniser killed', wallClockMs());
  return incidents;
}

function isReported({ kind, fromMs, toMs }: Omit<Incident, 'isReported'>, { findings }: ReportData): boolean {
  // Findings are of whole minutes: the one in which something began, or those that it touches.
  const isThen = (finding: { readonly fromMs: number; readonly toMs: number }): boolean =>
    finding.fromMs <= toMs && finding.toMs >= fromMs && finding.toMs - finding.fromMs <= 2 * MINUTE_MS;
  switch (kind) {
    case 'network stall':
      return findings.some(
        (finding) => finding.kind === 'late' && finding.stage === 'arrival' && isThen(finding),
      );
    case 'recogniser killed':
      return findings.some((finding) => finding.kind === 'restarts' && isThen(finding));
  }
}

async function reportOf(
  gateway: GatewayProcess,
  query: { readonly fromMs: number; readonly toMs: number; readonly format: 'html' | 'json' },
): Promise<string> {
  const address = new URL('/v1/report', gateway.url);
  address.search = new URLSearchParams({
    from: new Date(query.fromMs).toISOString(),
    to: new Date(query.toMs).toISOString(),
    format: query.format,
  }).toString();
  const response = await fetch(address, { signal: AbortSignal.timeout(MINUTE_MS) });
  const text = await response.text();
  if (response.ok) return text;
  throw new CaptionError('report_failed', `The gateway gave no report (${response.status}): ${text}`);
}
