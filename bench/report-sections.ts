/** What the report says, for both of its forms: sections with a table each. */
import type { Summary } from '../asr/index.js';
import { type CapacityResult, kneeText } from './capacity-bench.js';
import type { Drift } from './endurance-bench.js';
import type { LatencyResult } from './latency-bench.js';
import { isBusy } from './machine.js';
import type { ArmResult, PeersResult } from './peers-bench.js';
import type { Report } from './report-bench.js';

export interface ReportSection {
  readonly title: string;
  /** Which plot belongs to it. */
  readonly plot?: 'latency' | 'capacity' | 'peers' | 'endurance';
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What limits, and what to know. */
  readonly remarks: readonly string[];
}

export function sectionsOf(report: Report): ReportSection[] {
  const { livekit, accuracy, stability, capacity, endurance, faults, peers } = report;
  return [
    ...(peers === undefined ? [] : [peersSection(peers)]),
    latencySection(report.latency, livekit),
    ...(capacity === undefined ? [] : [capacitySection(capacity)]),
    ...(accuracy === undefined
      ? []
      : [
          {
            title: 'Accuracy',
            head: ['', 'errors', 'of'],
            rows: [
              ['words, without case and punctuation', percent(accuracy.wer), `${accuracy.spokenWords} words`],
              [
                'words, case and punctuation, where transcripts have them',
                percent(accuracy.formattedWer),
                `${accuracy.formattedTokens} words and marks`,
              ],
              ['those clips without case and punctuation', percent(accuracy.formattedClipsWer), ''],
              [
                'words credited to somebody else',
                String(accuracy.wrongSpeakerWords),
                `${accuracy.wrongSpeakerWordsByChance} expected by chance`,
              ],
            ],
            remarks: [
              `${accuracy.clips} clips, ${accuracy.speakers} people at once. The model limits the words; the default model writes no punctuation of its own, so that commas and questions are missing.`,
              ...failuresOf(accuracy.failures),
            ],
          },
        ]),
    ...(stability === undefined
      ? []
      : [
          {
            title: 'Stability',
            head: ['', 'value'],
            rows: [
              ['words changed after they were shown (UPWR)', percent(stability.upwr)],
              ['versions that change a shown word, per segment (UPSR)', text(stability.upsr)],
              ['normalised erasure, as shown', text(stability.normalisedErasure)],
              ['updates a second for one viewer', text(stability.updatesPerSecond)],
            ],
            remarks: [
              `${stability.speakers} people for ${stability.seconds} s, ${stability.words} words. Erasure counts a word that grows, and a capital or full stop that comes with the final.`,
              ...failuresOf(stability.failures),
            ],
          },
        ]),
    ...(faults === undefined
      ? []
      : [
          {
            title: 'Faults',
            head: ['fault', 'times', 'captions back p50', 'p95', 'not before the next'],
            rows: faults.faults.map(({ fault, count, recoveryMs, notRecovered }) => [
              fault,
              String(count),
              ms(recoveryMs.p50),
              ms(recoveryMs.p95),
              String(notRecovered),
            ]),
            remarks: [
              `Of ${faults.words} words ${faults.silentlyLostWords} lost silently, ${faults.wordsInToldGaps} in gaps that viewers were told of (${ms(faults.toldGapsMs)}), ${faults.duplicatedWords} doubled, ${faults.changedWords} changed against the same run undisturbed. After a kill the standby hears again what was said since the last saved state or final; a stall of more than 1.5 s ends the sentence, in the middle of a word.`,
              ...failuresOf(faults.failures),
            ],
          },
        ]),
    ...(endurance === undefined
      ? []
      : [
          {
            title: 'Endurance',
            plot: 'endurance' as const,
            head: ['', 'at first', 'an hour', '95 % interval'],
            rows: [
              driftRow('median word latency, ms', endurance.latencyDriftMs),
              driftRow('private memory, MB', endurance.memoryDriftMb),
            ],
            remarks: [
              `${endurance.speakers} people for ${endurance.seconds} s in ${endurance.laps.length} laps; words p50 ${ms(endurance.wordLatencyMs.p50)}, p95 ${ms(endurance.wordLatencyMs.p95)}. An interval that holds 0 shows no drift; a short run leaves it wide.`,
              ...failuresOf(endurance.failures),
            ],
          },
        ]),
    ...(report.runs.length === 0 ? [] : [runsSection(report.runs)]),
  ];
}

function runsSection(runs: Report['runs']): ReportSection {
  return {
    title: 'When each was measured',
    head: ['bench', 'moment (UTC)', 'load before', 'commit', 'machine'],
    rows: runs.map(({ bench, machine }) => [
      bench,
      machine.date.slice(0, 16).replace('T', ' '),
      `${machine.load1}${isBusy(machine) ? ', busy' : ''}`,
      machine.commit ?? '–',
      `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`,
    ]),
    remarks: ['From the second bench on the load before is that of the benches themselves, too.'],
  };
}

function peersSection(peers: PeersResult): ReportSection {
  return {
    title: 'Beside other systems',
    plot: 'peers',
    head: [
      ...['arm', 'word p50', 'word p95', 'final p95', 'word errors', 'UPWR', 'cores', 'memory, MB'],
      ...[
        'talking per core',
        'a connected speaker, MB',
        'a room, MB',
        'other programs, cores',
        `talking within ${peers.budgetMs ?? '–'} ms`,
        'what limits',
      ],
    ],
    rows: peers.arms.map((arm) => [
      arm.arm,
      ...[arm.wordLatencyMs.p50, arm.wordLatencyMs.p95, arm.finalLatencyMs.p95].map(ms),
      percent(arm.wer),
      percent(arm.upwr),
      ...[arm.cpuCores, arm.rssMb, arm.talkingPerCore].map(text),
      ...[arm.rssPerStreamMb, arm.rssPerRoomMb, arm.othersCores].map(text),
      arm.streamsAtBudget === null ? '–' : kneeText(arm.streamsAtBudget),
      limitOf(arm),
    ]),
    remarks: [
      `${peers.speakers} people connected, ${text(peers.arms[0]?.talkingSpeakers)} talking on average, for ${peers.seconds} s, model ${peers.model}; arms in turns in one run, the same audio, speakers, viewers and measure.`,
      'Speakers, viewers and livekit-server share the machine and are not in the figures of cores and memory. Where other programs took more than a fifth of a core, figures are too high.',
      ...failuresOf(peers.failures),
    ],
  };
}

function latencySection(
  latency: readonly LatencyResult[],
  livekit: LatencyResult | undefined,
): ReportSection {
  const row = (name: string, result: LatencyResult): string[] => [
    name,
    ...[result.wordLatencyMs.p50, result.wordLatencyMs.p95, result.wordLatencyMs.p99].map(ms),
    ms(result.finalLatencyMs.p95),
    ms(result.firstPartialMs.p50),
    percent(result.wer),
    ...[result.talkingSpeakers, result.cpuCores, result.talkingPerCore].map(text),
    ...[result.rssMb, result.othersCores].map(text),
  ];
  return {
    title: 'Latency',
    plot: 'latency',
    head: [
      'road',
      'word p50',
      'p95',
      'p99',
      'final p95',
      'first text p50',
      'word errors',
      'talking on average',
      'cores',
      'talking per core',
      'memory, MB',
      'other programs, cores',
    ],
    rows: [
      ...latency.map((result) => row(`WebSocket, ${result.speakers} connected`, result)),
      ...(livekit === undefined ? [] : [row(`LiveKit, ${livekit.speakers} connected`, livekit)]),
    ],
    remarks: [
      'From the end of a word to the word in a viewer’s reducer. The model takes 320 ms of sound at a time and looks 130 ms ahead: that is most of it where a machine is quiet. LiveKit adds Opus, the jitter buffer and the server. Where other programs took more than a fifth of a core, figures are too high.',
      ...failuresOf(
        [...latency, ...(livekit === undefined ? [] : [livekit])].flatMap(({ failures }) => failures),
      ),
    ],
  };
}

function capacitySection(capacity: CapacityResult): ReportSection {
  return {
    title: 'Capacity',
    plot: 'capacity',
    head: [
      'talking on average',
      'connected',
      'word p50',
      'word p95',
      'final p95',
      'gateway, cores',
      'speakers and viewers, cores',
      'memory, MB',
      '',
    ],
    rows: capacity.steps
      .toSorted((a, b) => a.load - b.load)
      .map((step) => [
        text(step.talkingSpeakers),
        String(step.speakers ?? step.load),
        ...[step.wordLatencyMs.p50, step.wordLatencyMs.p95, step.finalLatencyMs.p95].map(ms),
        text(step.cpuCores),
        text(step.clientCores),
        text(step.rssMb),
        step.because ?? 'fits',
      ]),
    remarks: [
      `${kneeText(capacity)} people talking on average within a p95 of ${capacity.budgetMs} ms. ${
        capacity.tooMuch === null
          ? 'More were not tried.'
          : `${capacity.tooMuch} were too many: ${capacity.limit ?? '–'}${capacity.isMachineUsedUp === true ? '; all cores were in use, the processor limits' : ''}.`
      }`,
    ],
  };
}

function limitOf({ streamsAtBudget, rounds, unsoundRounds }: ArmResult): string {
  if (rounds === 0 && streamsAtBudget === null)
    return unsoundRounds > 0 ? 'no round that counts, see below' : 'it did not run';
  if (streamsAtBudget === null) return '–';
  const { limit, isMachineUsedUp, tooMuch } = streamsAtBudget;
  if (tooMuch === null) return 'more were not tried';
  return `${limit ?? '–'}${isMachineUsedUp === true ? ', all cores in use' : ''}`;
}

const driftRow = (name: string, drift: Drift | null): string[] =>
  drift === null
    ? [name, '–', '–', 'too short a run']
    : [name, short(drift.atStart), short(drift.perHour), drift.perHourInterval.map(short).join(' to ')];

const failuresOf = (failures: readonly string[]): string[] =>
  failures.map((failure) => `Failed: ${oneLine(failure)}`);

/** The end of a log is for the terminal. */
const oneLine = (failure: string): string => (failure.split('\n')[0] ?? '').slice(0, 200);

export const ms = (value: Summary['p50']): string => (value === null ? '–' : `${Math.round(value)} ms`);
const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(1)} %`);
/** Kept runs of earlier versions lack figures that came later. */
const text = (value: number | null | undefined): string => (typeof value === 'number' ? short(value) : '–');
const short = (value: number): string => String(Number(value.toPrecision(3)));
