/** Results of the benches of quality and endurance for a person; `--json` has them for programs. */
import { formatColumns } from '../gateway/index.js';
import type { AccuracyResult } from './accuracy-bench.js';
import { machineLine, percent, summaryRow, value, wholeMs } from './bench-tables.js';
import { type CapacityResult, kneeText } from './capacity-bench.js';
import type { FigureComparison } from './compare-runs.js';
import type { Drift, EnduranceResult } from './endurance-bench.js';
import type { FaultsResult } from './faults-bench.js';
import type { Machine } from './machine.js';
import type { IncidentResult } from './incident-bench.js';
import type { PeersResult } from './peers-bench.js';
import type { StabilityResult } from './stability-bench.js';

export function formatAccuracyResult(result: AccuracyResult): string {
  const { wer, spokenWords, substitutions, deletions, insertions } = result;
  return lines(result, [
    `${result.clips} clips, ${result.speakers} speakers at once, model ${modelOf(result.model)}`,
    `word errors ${percent(wer)} of ${spokenWords} words: ${substitutions} wrong, ${deletions} missing, ${insertions} too many`,
    result.formattedWer === null
      ? 'no transcript with capitals and punctuation'
      : `with capitals and punctuation ${percent(result.formattedWer)} of ${result.formattedTokens}; those clips without: ${percent(result.formattedClipsWer)}`,
    `words credited to somebody else: ${result.wrongSpeakerWords} (by chance alone ${result.wrongSpeakerWordsByChance})`,
  ]);
}

export function formatStabilityResult(result: StabilityResult): string {
  return lines(result, [
    `${result.speakers} speakers for ${result.seconds} s, model ${modelOf(result.model)}: ${result.words} words, ${result.segments} segments`,
    `words changed after they were shown (UPWR) ${percent(result.upwr)}`,
    `versions that do not continue the one before, per segment (UPSR) ${result.upsr ?? '–'}`,
    `normalised erasure ${value(result.normalisedErasure, 'words per word')}`,
    `${value(result.updatesPerSecond, 'updates a second')} for one viewer`,
  ]);
}

export function formatCapacityResult(result: CapacityResult): string {
  const rows = [
    ['talking', 'connected', 'p50', 'p95', 'final p95', 'word errors', 'gateway', 'memory', 'clients', ''],
    ...result.steps.map((step) => [
      String(step.talkingSpeakers ?? '–'),
      String(step.speakers ?? step.load),
      wholeMs(step.wordLatencyMs.p50),
      wholeMs(step.wordLatencyMs.p95),
      wholeMs(step.finalLatencyMs.p95),
      percent(step.wer),
      value(step.cpuCores, 'cores'),
      value(step.rssMb, 'MB'),
      value(step.clientCores, 'cores'),
      step.because ?? 'fits',
    ]),
  ];
  const end =
    result.tooMuch === null
      ? 'more were not tried'
      : `${result.tooMuch} were too many: ${result.limit ?? '–'}${result.isMachineUsedUp === true ? ', all cores in use' : ''}`;
  const knee = `${result.knee} people talking on average within p95 ${result.budgetMs} ms; ${end}; model ${modelOf(result.model)}`;
  return `${formatColumns(rows)}\n${knee}\n${machineLine(result.machine)}\n`;
}

export function formatEnduranceResult(result: EnduranceResult): string {
  const rows = [
    ['', 'p50', 'p90', 'p95', 'p99', 'count'],
    summaryRow('word (end of word to reducer)', result.wordLatencyMs),
    summaryRow('final (end of speech to final)', result.finalLatencyMs),
  ];
  return `${formatColumns(rows)}\n${lines(result, [
    `${result.speakers} speakers${result.noisy === 0 ? '' : ` and ${result.noisy} from whom babble came`} for ${result.seconds} s in ${result.laps.length} laps, model ${modelOf(result.model)}`,
    `word errors ${percent(result.wer)}`,
    `median word latency ${driftLine(result.latencyDriftMs, 'ms')}`,
    `private memory ${driftLine(result.memoryDriftMb, 'MB')}`,
  ])}`;
}

export function formatFaultsResult(result: FaultsResult): string {
  return lines(result, [
    ...result.faults.map(
      ({ fault, count, recoveryMs, notRecovered, unnoticed }) =>
        `${count} × ${fault}: captions back after p50 ${wholeMs(recoveryMs.p50)}, p95 ${wholeMs(recoveryMs.p95)}` +
        (notRecovered === 0 ? '' : `; not before the next fault ${notRecovered} times`) +
        (unnoticed === 0 ? '' : `; ${unnoticed} times there was nothing to catch up`),
    ),
    `of ${result.words} words ${result.silentlyLostWords} lost silently, ${result.wordsInToldGaps} in gaps that viewers were told of (${wholeMs(result.toldGapsMs)}), ${result.duplicatedWords} doubled, ${result.changedWords} changed`,
    `model ${result.model}`,
  ]);
}

export function formatIncidentResult(result: IncidentResult): string {
  const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
  return lines(result, [
    ...result.incidents.map(
      ({ kind, fromMs, toMs, isReported }) =>
        `${kind}, ${clock(fromMs)} to ${clock(toMs)} UTC: ${isReported ? 'named by the report at its time and place' : 'NOT named by the report'}`,
    ),
    `${result.speakers} speakers for ${result.seconds} s, model ${result.model}`,
    ...result.files,
  ]);
}

export function formatComparison(comparisons: readonly FigureComparison[]): string {
  const rows = [
    ['', 'A', 'B', 'B - A', '95 % interval', ''],
    ...comparisons.map(({ figure, a, b, difference, interval, differs, isMachineQuiet }) => [
      figure,
      ...[a, b, difference].map(short),
      `${short(interval[0])} to ${short(interval[1])}`,
      differs ? (isMachineQuiet ? 'differs' : 'differs, or the machine did') : 'no difference seen',
    ]),
  ];
  if (comparisons.length === 0) return 'The two runs have no figure in common.\n';
  const remark = comparisons.every(({ isMachineQuiet }) => isMachineQuiet)
    ? ''
    : 'Other programs kept the machine busy in one of the runs: repeat them on a quiet one, in turns.\n';
  return `${formatColumns(rows)}\n${remark}`;
}

export function formatPeersResult(result: PeersResult): string {
  const rows = [
    [
      ...[
        '',
        'word p50',
        'p95',
        'final p95',
        'word errors',
        'UPWR',
        'cores',
        'talking per core',
        'memory',
        'a connected speaker',
        'a room',
      ],
      `talking within ${result.budgetMs ?? '–'} ms`,
    ],
    ...result.arms.map((arm) => [
      arm.arm,
      ...[arm.wordLatencyMs.p50, arm.wordLatencyMs.p95, arm.finalLatencyMs.p95].map(wholeMs),
      ...[arm.wer, arm.upwr].map(percent),
      ...[arm.cpuCores, arm.talkingPerCore].map((number) => (number === null ? '–' : String(number))),
      ...[arm.rssMb, arm.rssPerStreamMb, arm.rssPerRoomMb].map((mb) => value(mb, 'MB')),
      arm.streamsAtBudget === null ? '–' : kneeText(arm.streamsAtBudget),
    ]),
  ];
  const talking = result.arms[0]?.talkingSpeakers ?? '–';
  const facts = [
    `${result.speakers} speakers connected, ${talking} talking on average, for ${result.seconds} s, model ${result.model}`,
  ];
  return `${formatColumns(rows)}\n${lines(result, facts)}`;
}

function lines(result: { failures: readonly string[]; machine: Machine }, facts: readonly string[]): string {
  const all = [
    ...facts,
    ...result.failures.map((failure) => `failed: ${failure}`),
    machineLine(result.machine),
  ];
  return `${all.join('\n')}\n`;
}

const driftLine = (drift: Drift | null, unit: string): string =>
  drift === null
    ? 'too short a run for a trend'
    : `${short(drift.atStart)} ${unit} at first, ${short(drift.perHour)} ${unit} an hour (95 %: ${drift.perHourInterval.map(short).join(' to ')})`;

const modelOf = (model: string | null): string => model ?? 'of the running gateway';
const short = (number: number): string => String(Number(number.toPrecision(4)));
