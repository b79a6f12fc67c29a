#!/usr/bin/env node
/** `npm run bench -- COMMAND`: figures from outside. `--json` prints one JSON document; remarks go to standard error. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { CaptionError, errorMessage } from '../protocol/index.js';
import { EXIT, exitCodeOnceSettled, reportFailure } from '../gateway/index.js';
import { disposeSdk } from '../gateway/livekit/index.js';
import { registerAbuseBench } from './abuse/register-abuse-bench.js';
import { runAccuracyBench } from './accuracy-bench.js';
import { formatEngineResult, formatLatencyResult, formatRoomsResult } from './bench-tables.js';
import { formatAgreementResult, runAgreementBench } from './agreement-bench.js';
import { runCapacityBench } from './capacity-bench.js';
import { compareRuns } from './compare-runs.js';
import { runEnduranceBench } from './endurance-bench.js';
import { runEngineBench } from './engine-bench.js';
import { FAULTS, parseFaults, runFaultsBench } from './faults-bench.js';
import { runIncidentBench } from './incident-bench.js';
import { runLatencyBench } from './latency-bench.js';
import {
  formatAccuracyResult,
  formatCapacityResult,
  formatComparison,
  formatEnduranceResult,
  formatFaultsResult,
  formatIncidentResult,
  formatPeersResult,
  formatStabilityResult,
} from './quality-tables.js';
import { ARMS, parseArms, runPeersBench } from './peers-bench.js';
import { parseReportParts, runReportBench } from './report-bench.js';
import { runRoomsBench } from './rooms-bench.js';
import { keepRun, readRun, type Sample } from './samples.js';
import { runStabilityBench } from './stability-bench.js';
import { ingestStage, liveKitStage, type Stage } from './stage.js';
import { registerStagesBench } from './stages/register-stages-bench.js';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort(new CaptionError('interrupted', 'Interrupted.')));
}
/** The search for the most speakers begins here. */
const FIRST_PEER_SPEAKERS = 8;
const stageOptions = { output: process.stderr, signal: interruption.signal };

interface CommonFlags {
  readonly json?: boolean;
  readonly out: string;
}

interface SpeakingFlags extends CommonFlags {
  readonly manifest?: string;
  readonly speakers: string;
  readonly seconds: string;
  readonly road: string;
  readonly url?: string;
  readonly handLabelled?: boolean;
}

process.exitCode = await exitCodeOnceSettled(run(process.argv), 'bench');

async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('bench')
    .description('Latency, quality and capacity, measured from outside.')
    .exitOverride()
    .enablePositionalOptions()
    .option('--compare <runs...>', 'two kept runs, A and B: which figures differ, with intervals')
    .option('--json', 'print one JSON document')
    .action(compare);
  speaking(program, 'latency', { speakers: '1', seconds: '60' })
    .description('word latency with N people talking')
    .action(latency);
  speaking(program, 'livekit', { speakers: '1', seconds: '60' })
    .description('the same in rooms of a real LiveKit server; with --rooms, what rooms leave behind')
    .option('--rooms <n>', 'instead: open and close so many rooms, and compare memory')
    .action(liveKit);
  speaking(program, 'accuracy', { speakers: '8' })
    .description('word errors, with and without case and punctuation, and words credited to somebody else')
    .option('--clips <n>', 'only the first so many clips')
    .action(accuracy);
  speaking(program, 'stability', { speakers: '4', seconds: '60' })
    .description('how often words change after they were shown, and how often captions are updated')
    .action(stability);
  speaking(program, 'capacity', { seconds: '20' })
    .description('how many people can talk at once before captions come too late or fall behind')
    .option('--budget <ms>', 'limit of the p95 of word latency', '900')
    .option('--first <n>', 'speakers to begin with', '10')
    .option('--max <n>', 'speakers to end with', '200')
    .action(capacity);
  speaking(program, 'endurance', { speakers: '10', seconds: '3600' })
    .description('whether captions come later and memory grows with time')
    .option('--noisy <n>', 'further people from whom nothing but babble comes, all the time', '0')
    .action(endurance);
  speaking(program, 'faults', { speakers: '3', seconds: '60' })
    .description('things break while people talk: how soon captions go on, what is lost')
    .option('--faults <list>', 'which, in turns', FAULTS.join(','))
    .action(faults);
  speaking(program, 'incident', { speakers: '2', seconds: '600' })
    .description(
      'things go wrong while people talk: does the gateway’s own report say when, and in which stage?',
    )
    .option('--stall <s>', 'how long the network stands still', '6')
    .option('--to <folder>', 'where the report goes: incident.html and incident.json', 'bench/results')
    .action(incident);
  speaking(program, 'peers', { speakers: '5', seconds: '20' })
    .description('the gateway beside other systems: the same model, audio, speakers, viewers and measure')
    .option('--arms <list>', 'which, in turns', ARMS.join(','))
    .option('--rounds <n>', 'how often each has its turn', '3')
    .option('--budget <ms>', 'limit of the p95 of word latency for the most speakers', '900')
    .option('--capacity-seconds <s>', 'of each step of the search for the most speakers', '10')
    .option('--max <n>', 'speakers to end the search with; 0: none', '160')
    .action(peers);
  program
    .command('report')
    .description('every bench, one after the other, and a page about all of them: REPORT.md and report.html')
    .option('--quick', 'shorter and fewer, for a look')
    .option('--only <list>', 'measure these: latency,livekit,…; of the others the newest kept run')
    .option('--kept', 'measure nothing: the newest kept run of each bench')
    .option('--manifest <file>', 'clips with word times (default: ../shared/speech, else fixtures/speech)')
    .option('--to <folder>', 'where the two files go', 'bench')
    .option('--out <folder>', 'where raw samples are kept, as JSON Lines', 'bench/results')
    .action(report);
  program
    .command('engine')
    .description('streams per core against batch size, memory per stream, cost of silence, cold start')
    .option('--seconds <s>', 'length of each measurement of silence', '15')
    .option('--json', 'print one JSON document')
    .action(engine);
  program
    .command('agreement')
    .description(
      'whether our engine and sherpa-onnx say the same of every clip, each measured against the other',
    )
    .option('--manifest <file>', 'clips (default: ../shared/speech, else fixtures/speech)')
    .option('--json', 'print one JSON document')
    .action(agreement);
  registerStagesBench(program, interruption.signal);
  registerAbuseBench(program, { manifest: defaultManifest, signal: interruption.signal });
  try {
    await program.parseAsync(argv);
    return EXIT.good;
  } catch (error) {
    return reportFailure(error, 'bench');
  }
}

/** A command in which people talk; `seconds` only where their time is given. */
function speaking(
  program: Command,
  name: string,
  defaults: { readonly speakers?: string; readonly seconds?: string },
): Command {
  const command = program
    .command(name)
    .option('--manifest <file>', 'clips with word times (default: ../shared/speech, else fixtures/speech)');
  if (defaults.speakers !== undefined)
    command.option('--speakers <n>', 'how many people talk', defaults.speakers);
  if (defaults.seconds !== undefined) command.option('--seconds <s>', 'for how long', defaults.seconds);
  if (!['livekit', 'faults', 'incident', 'peers'].includes(name))
    command.option('--road <road>', 'websocket, or livekit: rooms of a real LiveKit server', 'websocket');
  if (['latency', 'livekit'].includes(name))
    command.option('--hand-labelled', 'only clips whose words’ ends were labelled by hand');
  if (name === 'latency') command.option('--url <url>', 'a gateway that runs already');
  if (name !== 'incident')
    command.option('--out <folder>', 'where raw samples are kept, as JSON Lines', 'bench/results');
  return command.option('--json', 'print one JSON document');
}

async function latency(flags: SpeakingFlags): Promise<void> {
  const kept = await runLatencyBench({
    ...playing(flags),
    openStage: () => openStage(flags.road, flags.url),
  });
  await finish(`latency-${kept.result.speakers}`, flags, {
    ...kept,
    table: formatLatencyResult(kept.result),
  });
}

async function liveKit(flags: SpeakingFlags & { readonly rooms?: string }): Promise<void> {
  if (flags.rooms !== undefined) {
    const result = await runRoomsBench({
      ...stageOptions,
      rooms: wholeNumber('--rooms', flags.rooms, 10_000),
    });
    await finish('rooms', flags, { result, samples: [], table: formatRoomsResult(result) });
    return;
  }
  const kept = await runLatencyBench({ ...playing(flags), openStage: () => openStage('livekit') });
  await finish('livekit', flags, { ...kept, table: formatLatencyResult(kept.result) });
}

async function accuracy(flags: Omit<SpeakingFlags, 'seconds'> & { readonly clips?: string }): Promise<void> {
  const kept = await runAccuracyBench({
    ...stageOptions,
    manifest: flags.manifest ?? defaultManifest(),
    speakers: wholeNumber('--speakers', flags.speakers, 1000),
    clips: flags.clips === undefined ? undefined : wholeNumber('--clips', flags.clips, 100_000),
    openStage: () => openStage(flags.road),
  });
  await finish('accuracy', flags, { ...kept, table: formatAccuracyResult(kept.result) });
}

async function stability(flags: SpeakingFlags): Promise<void> {
  const kept = await runStabilityBench({ ...playing(flags), openStage: () => openStage(flags.road) });
  await finish('stability', flags, { ...kept, table: formatStabilityResult(kept.result) });
}

interface CapacityFlags extends Omit<SpeakingFlags, 'speakers'> {
  readonly budget: string;
  readonly first: string;
  readonly max: string;
}

async function capacity(flags: CapacityFlags): Promise<void> {
  const kept = await runCapacityBench({
    ...stageOptions,
    manifest: flags.manifest ?? defaultManifest(),
    seconds: wholeNumber('--seconds', flags.seconds, 86_400),
    budgetMs: wholeNumber('--budget', flags.budget, 60_000),
    first: wholeNumber('--first', flags.first, 10_000),
    max: wholeNumber('--max', flags.max, 10_000),
    openStage: () => openStage(flags.road),
  });
  await finish('capacity', flags, { ...kept, table: formatCapacityResult(kept.result) });
}

async function endurance(flags: SpeakingFlags & { readonly noisy: string }): Promise<void> {
  const kept = await runEnduranceBench({
    ...playing(flags),
    noisy: flags.noisy === '0' ? 0 : wholeNumber('--noisy', flags.noisy, 1000),
    openStage: () => openStage(flags.road),
  });
  await finish('endurance', flags, { ...kept, table: formatEnduranceResult(kept.result) });
}

async function faults(flags: SpeakingFlags & { readonly faults: string }): Promise<void> {
  const kept = await runFaultsBench({ ...playing(flags), faults: parseFaults(flags.faults) });
  await finish('faults', flags, { ...kept, table: formatFaultsResult(kept.result) });
}

async function incident(
  flags: SpeakingFlags & { readonly stall: string; readonly to: string },
): Promise<void> {
  const result = await runIncidentBench({
    ...playing(flags),
    stallSeconds: wholeNumber('--stall', flags.stall, 60),
    folder: flags.to,
  });
  print(flags, result, formatIncidentResult(result));
}

interface PeersFlags extends SpeakingFlags {
  readonly arms: string;
  readonly rounds: string;
  readonly budget: string;
  readonly capacitySeconds: string;
  readonly max: string;
}

async function peers(flags: PeersFlags): Promise<void> {
  const kept = await runPeersBench({
    ...playing(flags),
    arms: parseArms(flags.arms),
    rounds: wholeNumber('--rounds', flags.rounds, 100),
    capacity:
      flags.max === '0'
        ? null
        : {
            budgetMs: wholeNumber('--budget', flags.budget, 60_000),
            seconds: wholeNumber('--capacity-seconds', flags.capacitySeconds, 3600),
            first: Math.min(FIRST_PEER_SPEAKERS, wholeNumber('--max', flags.max, 10_000)),
            max: wholeNumber('--max', flags.max, 10_000),
          },
  }).finally(disposeSdk);
  await finish('peers', flags, { ...kept, table: formatPeersResult(kept.result) });
}

async function report(flags: {
  kept?: boolean;
  quick?: boolean;
  only?: string;
  manifest?: string;
  to: string;
  out: string;
}): Promise<void> {
  const { report: made, files } = await runReportBench({
    ...stageOptions,
    manifest: flags.manifest ?? defaultManifest(),
    isQuick: flags.quick === true,
    only: flags.kept === true ? [] : flags.only === undefined ? undefined : parseReportParts(flags.only),
    folder: flags.to,
    resultsFolder: flags.out,
  });
  for (const failure of made.failures) process.stderr.write(`failed: ${failure}\n`);
  process.stdout.write(`${files.join('\n')}\n`);
}

async function engine(flags: { seconds: string; json?: boolean }): Promise<void> {
  const result = await runEngineBench({
    ...stageOptions,
    manifest: defaultManifest(),
    silenceSeconds: wholeNumber('--seconds', flags.seconds, 3600),
  });
  print(flags, result, formatEngineResult(result));
}

async function agreement(flags: { manifest?: string; json?: boolean }): Promise<void> {
  const result = await runAgreementBench({ ...stageOptions, manifest: flags.manifest ?? defaultManifest() });
  print(flags, result, formatAgreementResult(result));
}

async function compare(flags: {
  readonly compare?: readonly string[];
  readonly json?: boolean;
}): Promise<void> {
  const [a, b, ...others] = flags.compare ?? [];
  if (a === undefined || b === undefined || others.length > 0)
    throw new CaptionError(
      'usage_compare',
      'bench takes a command (see --help), or --compare with two kept runs.',
    );
  const comparisons = compareRuns(await readRun(a), await readRun(b));
  print(flags, comparisons, formatComparison(comparisons));
}

/** Prints the result and keeps it with its samples. A folder that cannot be written costs the samples, not the result. */
async function finish(
  bench: string,
  flags: CommonFlags,
  run: { readonly result: unknown; readonly samples: readonly Sample[]; readonly table: string },
): Promise<void> {
  print(flags, run.result, run.table);
  try {
    const path = await keepRun(flags.out, { bench, result: run.result, samples: run.samples });
    process.stderr.write(`samples: ${path}\n`);
  } catch (error) {
    process.stderr.write(`Samples were not kept: ${errorMessage(error)}\n`);
  }
}

function print(flags: { readonly json?: boolean }, result: unknown, table: string): void {
  process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : table);
}

/** What people say, and for how long. */
function playing(flags: SpeakingFlags): {
  manifest: string;
  handLabelled: boolean;
  speakers: number;
  seconds: number;
  output: NodeJS.WritableStream;
  signal: AbortSignal;
} {
  return {
    ...stageOptions,
    manifest: flags.manifest ?? defaultManifest(),
    handLabelled: flags.handLabelled ?? false,
    speakers: wholeNumber('--speakers', flags.speakers, 1000),
    seconds: wholeNumber('--seconds', flags.seconds, 86_400),
  };
}

function openStage(road: string, url?: string): Promise<Stage> {
  switch (road) {
    case 'websocket':
      return ingestStage(url);
    case 'livekit':
      if (url === undefined) return liveKitStage(stageOptions);
      throw new CaptionError('usage_road', '--url goes with --road websocket only.');
    default:
      throw new CaptionError('usage_road', `--road is websocket or livekit, not "${road}".`);
  }
}

/** Real speech where there is some, else the speech of this repository. */
function defaultManifest(): string {
  const root = new URL('../../', import.meta.url);
  const real = fileURLToPath(new URL('../shared/speech/manifest.json', root));
  return existsSync(real) ? real : fileURLToPath(new URL('fixtures/speech/manifest.json', root));
}

function wholeNumber(name: string, raw: string, max: number): number {
  const value = Number(raw);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new CaptionError('usage_number', `${name} must be a whole number from 1 to ${max}.`);
}
