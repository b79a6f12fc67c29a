/**
 * `bench report`: every bench, one after the other, and a page about all of them: `REPORT.md` to read in the repository, `report.html`
 * with plots. A bench that fails is named, and costs its own figures only.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../protocol/index.js';
import { disposeSdk } from '../gateway/livekit/index.js';
import { type AccuracyResult, runAccuracyBench } from './accuracy-bench.js';
import { type CapacityResult, runCapacityBench } from './capacity-bench.js';
import { type EnduranceResult, runEnduranceBench } from './endurance-bench.js';
import { FAULTS, type FaultsResult, runFaultsBench } from './faults-bench.js';
import { type LatencyResult, runLatencyBench } from './latency-bench.js';
import { describeMachine, type Machine } from './machine.js';
import { ARMS, type PeersOptions, type PeersResult, runPeersBench } from './peers-bench.js';
import { reportHtml } from './report-html.js';
import { reportMarkdown } from './report-markdown.js';
import { keepRun, readNewestRun, type Sample } from './samples.js';
import { runStabilityBench, type StabilityResult } from './stability-bench.js';
import { ingestStage, liveKitStage } from './stage.js';

/** How long and how much of each. */
interface Extent {
  readonly latency: { readonly speakers: readonly number[]; readonly seconds: number };
  readonly livekit: { readonly speakers: number; readonly seconds: number };
  readonly accuracyClips: number | undefined;
  readonly stability: { readonly speakers: number; readonly seconds: number };
  readonly capacity: { readonly seconds: number; readonly first: number; readonly max: number };
  readonly endurance: { readonly speakers: number; readonly seconds: number };
  readonly faults: { readonly speakers: number; readonly seconds: number };
  readonly peers: { readonly speakers: number; readonly seconds: number; readonly rounds: number };
  readonly peersCapacity: Omit<NonNullable<PeersOptions['capacity']>, 'budgetMs'>;
}

const BUDGET_MS = 900;

const FULL: Extent = {
  latency: { speakers: [1, 40], seconds: 60 },
  livekit: { speakers: 5, seconds: 60 },
  accuracyClips: undefined,
  stability: { speakers: 4, seconds: 60 },
  capacity: { seconds: 20, first: 20, max: 200 },
  endurance: { speakers: 10, seconds: 600 },
  faults: { speakers: 3, seconds: 90 },
  peers: { speakers: 5, seconds: 30, rounds: 3 },
  peersCapacity: { seconds: 12, first: 8, max: 160 },
};

const QUICK: Extent = {
  latency: { speakers: [1, 10, 40], seconds: 15 },
  livekit: { speakers: 2, seconds: 12 },
  accuracyClips: 24,
  stability: { speakers: 3, seconds: 15 },
  capacity: { seconds: 8, first: 20, max: 140 },
  endurance: { speakers: 3, seconds: 60 },
  faults: { speakers: 2, seconds: 25 },
  peers: { speakers: 2, seconds: 12, rounds: 1 },
  peersCapacity: { seconds: 6, first: 16, max: 110, tries: 1, precision: 0.15 },
};

export interface ReportOptions {
  readonly manifest: string;
  /** Shorter and fewer, for a look; figures for publication need the full extent. */
  readonly isQuick: boolean;
  /** Nothing is measured: the newest run of each bench in `resultsFolder` is told of. */
  readonly isKept: boolean;
  /** Where REPORT.md and report.html go. */
  readonly folder: string;
  /** Where raw samples go. */
  readonly resultsFolder: string;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Everything that was measured; a part that failed is absent. */
export interface Report {
  readonly isQuick: boolean;
  readonly manifest: string;
  readonly machine: Machine;
  /** Null for a page about kept runs. */
  readonly tookMinutes: number | null;
  readonly latency: readonly LatencyResult[];
  readonly latencySamples: readonly { readonly name: string; readonly valuesMs: readonly number[] }[];
  readonly livekit?: LatencyResult;
  readonly accuracy?: AccuracyResult;
  readonly stability?: StabilityResult;
  readonly capacity?: CapacityResult;
  readonly endurance?: EnduranceResult;
  readonly faults?: FaultsResult;
  readonly peers?: PeersResult;
  readonly failures: readonly string[];
}

/** Throws only when interrupted, or when the files cannot be written. */
export async function runReportBench(
  options: ReportOptions,
): Promise<{ report: Report; files: readonly string[] }> {
  const { manifest, output, signal } = options;
  const extent = options.isQuick ? QUICK : FULL;
  const machine = describeMachine();
  const startedAtMs = performance.now();
  const failures: string[] = [];
  const latencySamples: { name: string; valuesMs: readonly number[] }[] = [];
  const common = { manifest, output, signal };
  const openLiveKit = () => liveKitStage({ output, signal, keepsSdk: true });

  const measureAndKeep = async <Result>(
    bench: string,
    run: () => Promise<{ readonly result: Result; readonly samples: readonly Sample[] }>,
  ): Promise<{ readonly result: Result; readonly samples: readonly Sample[] }> => {
    output.write(`# ${bench}\n`);
    const { result, samples } = await run();
    await keepRun(options.resultsFolder, { bench, result, samples });
    return { result, samples };
  };
  const measure = async <Result>(
    bench: string,
    run: () => Promise<{ readonly result: Result; readonly samples: readonly Sample[] }>,
  ): Promise<Result | undefined> => {
    signal.throwIfAborted();
    try {
      const { result, samples } = options.isKept
        ? await readNewestRun(options.resultsFolder, bench)
        : await measureAndKeep(bench, run);
      const valuesMs = samples.flatMap(({ metric, value }) => (metric === 'wordLatencyMs' ? [value] : []));
      if (bench.startsWith('latency') || bench === 'livekit') latencySamples.push({ name: bench, valuesMs });
      // A kept result is what this bench made then, as JSON gives it back: it is not checked again.
      return result as Result;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${bench}: ${errorMessage(error)}`);
      return undefined;
    }
  };

  const latency: LatencyResult[] = [];
  let parts: Partial<Omit<Report, 'latency'>>;
  try {
    for (const speakers of extent.latency.speakers) {
      const result = await measure(`latency-${speakers}`, () =>
        runLatencyBench({ ...common, ...extent.latency, speakers, openStage: () => ingestStage() }),
      );
      if (result !== undefined) latency.push(result);
    }
    parts = {
      ...given(
        'livekit',
        await measure('livekit', () =>
          runLatencyBench({ ...common, ...extent.livekit, openStage: openLiveKit }),
        ),
      ),
      ...given(
        'accuracy',
        await measure('accuracy', () =>
          runAccuracyBench({
            ...common,
            speakers: 8,
            clips: extent.accuracyClips,
            openStage: () => ingestStage(),
          }),
        ),
      ),
      ...given(
        'stability',
        await measure('stability', () =>
          runStabilityBench({ ...common, ...extent.stability, openStage: () => ingestStage() }),
        ),
      ),
      ...given(
        'capacity',
        await measure('capacity', () =>
          runCapacityBench({
            ...common,
            ...extent.capacity,
            budgetMs: BUDGET_MS,
            openStage: () => ingestStage(),
          }),
        ),
      ),
      ...given(
        'faults',
        await measure('faults', () => runFaultsBench({ ...common, ...extent.faults, faults: FAULTS })),
      ),
      ...given(
        'peers',
        await measure('peers', () =>
          runPeersBench({
            ...common,
            ...extent.peers,
            arms: ARMS,
            capacity: { ...extent.peersCapacity, budgetMs: BUDGET_MS },
          }),
        ),
      ),
      ...given(
        'endurance',
        await measure('endurance', () =>
          runEnduranceBench({ ...common, ...extent.endurance, openStage: () => ingestStage() }),
        ),
      ),
    };
  } finally {
    await disposeSdk();
  }
  const report: Report = {
    isQuick: options.isQuick,
    manifest,
    machine: options.isKept ? (latency[0] ?? { machine }).machine : machine,
    tookMinutes: options.isKept ? null : Math.round((performance.now() - startedAtMs) / 6000) / 10,
    latency,
    latencySamples,
    ...parts,
    failures,
  };
  await mkdir(options.folder, { recursive: true });
  const files = { 'REPORT.md': reportMarkdown(report), 'report.html': reportHtml(report) };
  for (const [name, text] of Object.entries(files)) await writeFile(join(options.folder, name), text);
  return { report, files: Object.keys(files).map((name) => join(options.folder, name)) };
}

const given = <Name extends string, Result>(
  name: Name,
  result: Result | undefined,
): Partial<Record<Name, Result>> =>
  result === undefined ? {} : ({ [name]: result } as Record<Name, Result>);
