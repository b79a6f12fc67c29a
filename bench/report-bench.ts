/**
 * `bench report`: every bench, one after the other, and a page about all of them: `REPORT.md` to read in the repository, `report.html`
 * with plots. A bench that fails is named, and costs its own figures only.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionError, errorMessage } from '../protocol/index.js';
import { disposeSdk } from '../gateway/livekit/index.js';
import { type AccuracyResult, runAccuracyBench } from './accuracy-bench.js';
import { type CapacityResult, runCapacityBench } from './capacity-bench.js';
import { type EnduranceResult, runEnduranceBench } from './endurance-bench.js';
import { FAULTS, type FaultsResult, runFaultsBench } from './faults-bench.js';
import { type LatencyResult, runLatencyBench } from './latency-bench.js';
import { describeMachine, type Machine } from './machine.js';
import { parseNameList } from './name-list.js';
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

/** What can be measured anew on its own. */
export const REPORT_PARTS = [
  'latency',
  'livekit',
  'accuracy',
  'stability',
  'capacity',
  'faults',
  'peers',
  'endurance',
] as const;
export type ReportPart = (typeof REPORT_PARTS)[number];

/** From `latency,peers`. Throws CaptionError `usage_report_parts`. */
export const parseReportParts = (text: string): ReportPart[] =>
  parseNameList(text, {
    known: REPORT_PARTS,
    option: '--only',
    refusal: (message) => new CaptionError('usage_report_parts', message),
  });

export interface ReportOptions {
  readonly manifest: string;
  /** Shorter and fewer, for a look; figures for publication need the full extent. */
  readonly isQuick: boolean;
  /** These are measured; of the others the newest run in `resultsFolder` is told. Undefined for all. */
  readonly only: readonly ReportPart[] | undefined;
  /** Where REPORT.md and report.html go. */
  readonly folder: string;
  /** Where raw samples go. */
  readonly resultsFolder: string;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Everything that was measured; a part that failed is absent. */
export interface Report {
  /** As the command was given. */
  readonly flags: string;
  readonly manifest: string;
  readonly machine: Machine;
  /** Null for a page about kept runs. */
  readonly tookMinutes: number | null;
  /** What is told of, and on which machine it was measured when. */
  readonly runs: readonly { readonly bench: string; readonly machine: Machine }[];
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
    await keepRun(options.resultsFolder, { bench, result, samples }).catch((error: unknown) => {
      failures.push(`${bench}: its samples were not kept: ${errorMessage(error)}`);
    });
    return { result, samples };
  };
  const runs: { bench: string; machine: Machine }[] = [];
  const isMeasured = (bench: string): boolean =>
    options.only?.some((part) => bench === part || bench.startsWith(`${part}-`)) ?? true;
  const measure = async <Result extends { readonly machine: Machine }>(
    bench: string,
    run: () => Promise<{ readonly result: Result; readonly samples: readonly Sample[] }>,
  ): Promise<Result | undefined> => {
    signal.throwIfAborted();
    try {
      // A kept result is what this bench made then, as JSON gives it back: it is not checked again.
      const { result, samples } = isMeasured(bench)
        ? await measureAndKeep(bench, run)
        : ((await readNewestRun(options.resultsFolder, bench)) as {
            result: Result;
            samples: readonly Sample[];
          });
      const valuesMs = samples.flatMap(({ metric, value }) => (metric === 'wordLatencyMs' ? [value] : []));
      if (bench.startsWith('latency') || bench === 'livekit') latencySamples.push({ name: bench, valuesMs });
      runs.push({ bench, machine: result.machine });
      return result;
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
  const isKept = options.only?.length === 0;
  const report: Report = {
    flags: flagsOf(options),
    manifest,
    machine: isKept ? (runs[0] ?? { machine }).machine : machine,
    tookMinutes: isKept ? null : Math.round((performance.now() - startedAtMs) / 6000) / 10,
    runs,
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

const flagsOf = ({ isQuick, only }: ReportOptions): string =>
  [
    ...(isQuick && only?.length !== 0 ? [' --quick'] : []),
    ...(only === undefined ? [] : only.length === 0 ? [' --kept'] : [` --only ${only.join(',')}`]),
  ].join('');

const given = <Name extends string, Result>(
  name: Name,
  result: Result | undefined,
): Partial<Record<Name, Result>> =>
  result === undefined ? {} : ({ [name]: result } as Record<Name, Result>);
