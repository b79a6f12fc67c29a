import type { Summary } from '../asr/index.js';
import { formatColumns } from '../gateway/index.js';
import type { EngineResult } from './engine-bench.js';
import { isDisturbed } from './foreign-load.js';
import type { LatencyResult } from './latency-bench.js';
import type { Machine } from './machine.js';
import type { RoomsResult } from './rooms-bench.js';

/** Results for a person; `--json` has them for programs. */
export function formatLatencyResult(result: LatencyResult): string {
  const rows = [
    ['', 'p50', 'p90', 'p95', 'p99', 'count'],
    summaryRow('word (end of word to reducer)', result.wordLatencyMs),
    summaryRow('word, labelled by hand', result.handLabelledWordLatencyMs),
    summaryRow('final (end of speech to final)', result.finalLatencyMs),
    summaryRow('first partial (onset to text)', result.firstPartialMs),
  ];
  const facts = [
    `${result.speakers} speakers connected for ${result.seconds} s, ${result.talkingSpeakers ?? '–'} of them talking on average, model ${result.model ?? 'of the running gateway'}`,
    `word errors ${percent(result.wer)}, words changed after they were shown ${percent(result.upwr)}`,
    `CPU ${value(result.cpuCores, 'cores')}: ${value(result.talkingPerCore, 'people talking')} per core (talking on average / cores)`,
    `memory ${value(result.rssMb, 'MB')}, ${value(result.rssPerStreamMb, 'MB')} a further connected speaker`,
    ...result.failures.map((failure) => `failed: ${failure}`),
    ...(isDisturbed(result.othersCores)
      ? [`other programs took ${value(result.othersCores, 'cores')} meanwhile: figures are too high`]
      : []),
    machineLine(result.machine),
  ];
  return `${formatColumns(rows)}\n${facts.join('\n')}\n`;
}

export function formatRoomsResult(result: RoomsResult): string {
  const rows = [
    ['rooms so far', 'gateway, MB', 'recognisers, MB', `gateway with ${result.atOnce} rooms, MB`],
    ...result.rounds.map(({ rooms, isWarmUp, gatewayMb, recogniserMb, openMb }) => [
      `${rooms}${isWarmUp ? ' (warm-up)' : ''}`,
      ...[gatewayMb, recogniserMb, openMb].map(String),
    ]),
  ];
  const { p50, p95 } = result.joinMs;
  const facts = [
    `${result.rooms} rooms opened and closed, ${result.atOnce} at once, after ${result.warmUpRooms} to warm up; captions of closed rooms kept ${result.retentionS} s`,
    `memory before ${result.beforeMb} MB, with ${result.atOnce} rooms ${value(result.openMb, 'MB')}, after ${result.afterMb} MB: ${percent(result.growth)}`,
    `${result.mbPerRoom} MB a room, ${wholeMs(p50)} from dispatch to captioner (p95 ${wholeMs(p95)})`,
    ...result.failures.map((failure) => `failed: ${failure}`),
    machineLine(result.machine),
  ];
  return `${formatColumns(rows)}\n${facts.join('\n')}\n`;
}

export function formatEngineResult(result: EngineResult): string {
  const arms = result.arms.map(({ engine, precision, batches, mbPerStream, textsThatDiffer }) => {
    const rows = [
      [`${engine} ${precision}`, 'streams per core', 'ms a call'],
      ...batches.map(({ batchSize, streamsPerCore, msPerCall }) => [
        `batch ${batchSize}`,
        streamsPerCore.toFixed(1),
        msPerCall.toFixed(1),
      ]),
    ];
    return `${formatColumns(rows)}\n${mbPerStream.toFixed(2)} MB a stream; texts that differ between batch sizes: ${textsThatDiffer}\n`;
  });
  const { silence } = result;
  const facts = [
    `one speaker who talks: ${(silence.speakingCores * 1000).toFixed(2)} ms of CPU a second`,
    `silent: ${(silence.silentCores * 1000).toFixed(2)} ms, ${percent(silence.silentPerSpeaking)} of that`,
    `faint noise: ${(silence.faintNoiseCores * 1000).toFixed(2)} ms, ${percent(silence.faintNoisePerSpeaking)} of that`,
    '(streams per core: seconds of sound without pauses per CPU second; speakers who talk here talk without pauses)',
    `200 connected of whom 5 talk: ${silence.fiveOf200PerFive.toFixed(2)} times the CPU of those 5 alone`,
    `cold start: ${wholeMs(result.coldStartMs)}`,
    `model ${result.model}`,
    machineLine(result.machine),
  ];
  return `${arms.join('\n')}\n${facts.join('\n')}\n`;
}

export const summaryRow = (name: string, { p50, p90, p95, p99, count }: Summary): string[] => [
  name,
  ...[p50, p90, p95, p99].map(wholeMs),
  String(count),
];

export const percent = (share: number | null): string =>
  share === null ? '–' : `${(share * 100).toFixed(1)} %`;
export const value = (number: number | null, unit: string): string =>
  number === null ? '–' : `${number} ${unit}`;

export const wholeMs = (ms: number | null): string => value(ms === null ? null : Math.round(ms), 'ms');

export const machineLine = ({ cpu, cores, memoryGb, node, load1, commit, date }: Machine): string =>
  `${cpu}, ${cores} cores, ${memoryGb} GB, Node ${node}, load ${load1} before, commit ${commit ?? '–'}, ${date}`;
