#!/usr/bin/env node
/** `npm run bench -- COMMAND`: figures from outside. `--json` prints one JSON document; remarks go to standard error. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { CaptionError } from '../protocol/index.js';
import { EXIT, reportFailure } from '../gateway/index.js';
import {
  formatCrashResult,
  formatEngineResult,
  formatLatencyResult,
  formatRoomsResult,
} from './bench-tables.js';
import { runCrashBench } from './crash-bench.js';
import { runEngineBench } from './engine-bench.js';
import { type LatencySample, runLatencyBench } from './latency-bench.js';
import { runRoomsBench } from './rooms-bench.js';
import { ingestStage, liveKitStage } from './stage.js';
import { registerStagesBench } from './stages/register-stages-bench.js';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort(new CaptionError('interrupted', 'Interrupted.')));
}

interface LatencyFlags {
  readonly manifest?: string;
  readonly speakers: string;
  readonly seconds: string;
  readonly url?: string;
  readonly out?: string;
  readonly json?: boolean;
}

interface LiveKitFlags extends Omit<LatencyFlags, 'url'> {
  readonly rooms?: string;
}

process.exitCode = await run(process.argv);

async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('bench')
    .description('Latency and capacity, measured from outside.')
    .exitOverride();
  program
    .command('latency')
    .description('word latency over WebSocket ingest, with N people talking')
    .option('--manifest <file>', 'clips with word times (default: ../shared/speech, else fixtures/speech)')
    .option('--speakers <n>', 'how many people talk', '1')
    .option('--seconds <s>', 'for how long', '60')
    .option('--url <url>', 'a gateway that runs already')
    .option('--out <folder>', 'keep raw samples there, as JSON Lines')
    .option('--json', 'print one JSON document')
    .action(latency);
  program
    .command('livekit')
    .description('the same in rooms of a real LiveKit server; with --rooms, what rooms leave behind')
    .option('--manifest <file>', 'clips with word times (default: ../shared/speech, else fixtures/speech)')
    .option('--speakers <n>', 'how many people talk', '1')
    .option('--seconds <s>', 'for how long', '60')
    .option('--rooms <n>', 'instead: open and close so many rooms, and compare memory')
    .option('--out <folder>', 'keep raw samples there, as JSON Lines')
    .option('--json', 'print one JSON document')
    .action(liveKit);
  program
    .command('engine')
    .description('streams per core against batch size, memory per stream, cost of silence, cold start')
    .option('--seconds <s>', 'length of each measurement of silence', '15')
    .option('--json', 'print one JSON document')
    .action(engine);
  program
    .command('crash')
    .description('kill -9 of recogniser processes while people talk: how soon captions go on, what is lost')
    .option('--speakers <n>', 'how many people talk', '3')
    .option('--seconds <s>', 'for how long', '60')
    .option('--json', 'print one JSON document')
    .action(crash);
  registerStagesBench(program, interruption.signal);
  try {
    await program.parseAsync(argv);
    return EXIT.good;
  } catch (error) {
    return reportFailure(error, 'bench');
  }
}

async function latency(flags: LatencyFlags): Promise<void> {
  const { result, samples } = await runLatencyBench({
    manifest: flags.manifest ?? defaultManifest(),
    speakers: wholeNumber('--speakers', flags.speakers, 1000),
    seconds: wholeNumber('--seconds', flags.seconds, 86_400),
    openStage: () => ingestStage(flags.url),
    output: process.stderr,
    signal: interruption.signal,
  });
  if (flags.out !== undefined) await keepSamples(flags.out, samples);
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatLatencyResult(result),
  );
}

async function liveKit(flags: LiveKitFlags): Promise<void> {
  const stage = { output: process.stderr, signal: interruption.signal };
  if (flags.rooms !== undefined) {
    const rooms = wholeNumber('--rooms', flags.rooms, 10_000);
    const result = await runRoomsBench({ ...stage, rooms });
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatRoomsResult(result),
    );
    return;
  }
  const { result, samples } = await runLatencyBench({
    ...stage,
    manifest: flags.manifest ?? defaultManifest(),
    speakers: wholeNumber('--speakers', flags.speakers, 1000),
    seconds: wholeNumber('--seconds', flags.seconds, 86_400),
    openStage: () => liveKitStage(stage),
  });
  if (flags.out !== undefined) await keepSamples(flags.out, samples);
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatLatencyResult(result),
  );
}

async function engine(flags: { seconds: string; json?: boolean }): Promise<void> {
  const result = await runEngineBench({
    manifest: defaultManifest(),
    silenceSeconds: wholeNumber('--seconds', flags.seconds, 3600),
    output: process.stderr,
    signal: interruption.signal,
  });
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatEngineResult(result),
  );
}

async function crash(flags: { speakers: string; seconds: string; json?: boolean }): Promise<void> {
  const result = await runCrashBench({
    manifest: defaultManifest(),
    speakers: wholeNumber('--speakers', flags.speakers, 1000),
    seconds: wholeNumber('--seconds', flags.seconds, 86_400),
    output: process.stderr,
    signal: interruption.signal,
  });
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatCrashResult(result),
  );
}

async function keepSamples(folder: string, samples: readonly LatencySample[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'latency-samples.jsonl'),
    samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''),
  );
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
