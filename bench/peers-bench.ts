/**
 * `bench peers`: the gateway and other systems, arms in turns in one run, with the same model, the same audio, the same speakers and
 * viewers, and the same measure. Definitions: README of this folder.
 */
import { type InstalledModel, summarise } from '../asr/index.js';
import { locateModels, readEnvironment } from '../gateway/index.js';
import { CaptionError, errorMessage } from '../protocol/index.js';
import { runCapacityBench, type CapacityResult } from './capacity-bench.js';
import type { LoadedClip } from './clip-schedule.js';
import { type LatencyFigures, roundedUsage, samplesOf, summariseSpeakers } from './latency-bench.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { parseNameList } from './name-list.js';
import { isInstalled, type PeerName } from './peers/peer-process.js';
import { sherpaStage } from './peers/sherpa-stage.js';
import { sherpaWebSocketStage } from './peers/sherpa-websocket-stage.js';
import { liveKitAgentsStage } from './peers/livekit-agents-stage.js';
import { type MeasuredRun, runMeasured } from './measured-run.js';
import type { Sample } from './samples.js';
import { ingestStage, liveKitStage, type MeasuredVenue } from './stage.js';

const WARM_UP_SECONDS = 6;
/** Rooms with one silent speaker each, to tell what a room costs. */
const FEW_ROOMS = 1;
const MORE_ROOMS = 3;
/** Word errors above those of the recogniser alone by more than this, and the texts are not the same. */
const MAX_EXTRA_WER = 0.05;

export const ARMS = [
  'sherpa-direct',
  'sherpa-websocket',
  'gateway-websocket',
  'gateway-livekit',
  'livekit-agents',
] as const;
export type Arm = (typeof ARMS)[number];

/** Arms whose road knows rooms with a captioner of their own. */
const LIVEKIT_ARMS: ReadonlySet<Arm> = new Set(['gateway-livekit', 'livekit-agents']);
const PEER_OF: Readonly<Partial<Record<Arm, PeerName>>> = {
  'sherpa-direct': 'sherpa',
  'sherpa-websocket': 'sherpa-websocket',
  'livekit-agents': 'livekit-agents',
};

export interface PeersOptions {
  readonly manifest: string;
  readonly arms: readonly Arm[];
  readonly speakers: number;
  readonly seconds: number;
  /** How often each arm has its turn. */
  readonly rounds: number;
  /** Search for the most streams at the budget; null for none. */
  readonly capacity: {
    readonly budgetMs: number;
    readonly seconds: number;
    readonly first: number;
    readonly max: number;
    /** As in `CapacityOptions`. */
    readonly tries?: number;
    readonly precision?: number;
  } | null;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Latencies, words and changes over all rounds that count; medians of CPU and memory. */
export interface ArmResult extends LatencyFigures {
  readonly arm: Arm;
  /** Of a further room with one silent speaker; null where rooms have nothing of their own. */
  readonly rssPerRoomMb: number | null;
  /** That count: a round in which the bench's own clients dropped audio or held it back says nothing of the arm, and is left out. */
  readonly rounds: number;
  /** That were left out, or failed. */
  readonly unsoundRounds: number;
  readonly streamsAtBudget: Pick<
    CapacityResult,
    'knee' | 'tooMuch' | 'limit' | 'isMachineUsedUp' | 'steps'
  > | null;
  readonly failures: readonly string[];
}

export interface PeersResult {
  readonly arms: readonly ArmResult[];
  readonly speakers: number;
  readonly seconds: number;
  readonly budgetMs: number | null;
  readonly model: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

interface Turn extends MeasuredRun {
  readonly rssPerRoomMb: number | null;
}

/** Whoever calls it calls `disposeSdk` in the end. Throws what `loadClips` and `locateModels` throw. A peer that fails costs its own figures, and is named in `failures`. */
export async function runPeersBench(
  options: PeersOptions,
): Promise<{ result: PeersResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const { model } = await locateModels({
    environment: readEnvironment(),
    stderr: process.stderr,
    signal: options.signal,
  });
  // Captions of other systems carry no times: they are put in their places by what was said.
  const clips = (await loadClips(options.manifest)).filter(
    ({ words, text }) => text !== null && words.length > 0,
  );
  const failures: string[] = [];
  const turns = new Map<Arm, Turn[]>(options.arms.map((arm) => [arm, []]));
  const capacities = new Map<Arm, CapacityResult>();
  const failuresOf = new Map<Arm, string[]>(options.arms.map((arm) => [arm, []]));
  const arms = options.arms.filter((arm) => {
    const peer = PEER_OF[arm];
    if (peer === undefined || isInstalled(peer)) return true;
    failures.push(`${arm} is not installed: bench/peers/install ${peer}`);
    return false;
  });
  const attempt = async (arm: Arm, work: () => Promise<void>): Promise<void> => {
    options.signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      options.signal.throwIfAborted();
      failuresOf.get(arm)?.push(errorMessage(error));
    }
  };
  const open = (arm: Arm) => (): Promise<MeasuredVenue> => openArm(arm, model, options);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const arm of arms) {
      options.output.write(`round ${round}: ${arm}\n`);
      await attempt(arm, async () => {
        const turn = await takeTurn(open(arm), {
          arm,
          options,
          clips,
          failed: (reason) => failuresOf.get(arm)?.push(reason),
        });
        turns.get(arm)?.push(turn);
      });
    }
  }
  const { capacity } = options;
  for (const arm of capacity === null ? [] : arms) {
    options.output.write(`capacity: ${arm}\n`);
    await attempt(arm, async () => {
      if (capacity === null) return;
      const { result } = await runCapacityBench({
        ...options,
        ...capacity,
        wordTimes: 'alignment',
        openStage: open(arm),
      });
      capacities.set(arm, result);
    });
  }
  const results = arms.map((arm) =>
    summariseArm(arm, {
      turns: turns.get(arm) ?? [],
      rounds: options.rounds,
      capacity: capacities.get(arm),
      failures: failuresOf.get(arm) ?? [],
    }),
  );
  failures.push(...textFailures(results));
  const result: PeersResult = {
    arms: results,
    speakers: options.speakers,
    seconds: options.seconds,
    budgetMs: options.capacity?.budgetMs ?? null,
    model: model.id,
    versions: VERSIONS,
    failures,
    machine,
  };
  const samples = [...turns].flatMap(([arm, ofArm]) =>
    ofArm.flatMap((turn, round) =>
      (isSound(turn) ? turn.speakers : [])
        .flatMap(samplesOf)
        .map((sample) => ({ ...sample, arm, cluster: `round ${round + 1}/${sample.cluster}` })),
    ),
  );
  return { result, samples };
}

/** As `bench/peers/ * /requirements.txt` pin them; a test holds them equal. */
export const VERSIONS = {
  'sherpa-onnx': '1.13.8',
  'sherpa-onnx-bin': '1.13.8',
  'livekit-agents': '1.6.7',
} as const;

function openArm(arm: Arm, model: InstalledModel, options: PeersOptions): Promise<MeasuredVenue> {
  const liveKit = { output: options.output, signal: options.signal, keepsSdk: true };
  switch (arm) {
    case 'sherpa-direct':
      return sherpaStage(model);
    case 'sherpa-websocket':
      return sherpaWebSocketStage(model);
    case 'gateway-websocket':
      return ingestStage();
    case 'gateway-livekit':
      return liveKitStage(liveKit);
    case 'livekit-agents':
      return liveKitAgentsStage(model, liveKit);
  }
}

async function takeTurn(
  open: () => Promise<MeasuredVenue>,
  run: {
    readonly arm: Arm;
    readonly options: PeersOptions;
    readonly clips: readonly LoadedClip[];
    readonly failed: (reason: string) => void;
  },
): Promise<Turn> {
  const { arm, options, clips, failed } = run;
  const stage = await open();
  try {
    const measured = await runMeasured({
      ...options,
      stage,
      clips,
      warmUpSeconds: WARM_UP_SECONDS,
      rooms: arm,
      wordTimes: 'alignment',
      failed,
    });
    const rssPerRoomMb = LIVEKIT_ARMS.has(arm) ? await memoryPerRoomMb(stage, arm) : null;
    return { ...measured, rssPerRoomMb };
  } finally {
    await stage.close();
  }
}

/** Rooms of one who says nothing are opened one after the other; what those after the first added, by their number. */
async function memoryPerRoomMb({ venue, gateway }: MeasuredVenue, arm: Arm): Promise<number | null> {
  if (gateway === undefined) return null;
  const sessions: { close(): Promise<void> }[] = [];
  try {
    let fewMb = 0;
    for (let room = 1; room <= MORE_ROOMS; room += 1) {
      sessions.push(
        await venue.open({
          rooms: `${arm}-silent-${room}`,
          speakers: [`silent-${room}`],
          watch: () => undefined,
          failed: () => undefined,
        }),
      );
      if (room === FEW_ROOMS) fewMb = gateway.usage().memoryMb;
    }
    return Math.max(0, gateway.usage().memoryMb - fewMb) / (MORE_ROOMS - FEW_ROOMS);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

function summariseArm(
  arm: Arm,
  seen: {
    readonly turns: readonly Turn[];
    /** How many there should be. */
    readonly rounds: number;
    readonly capacity: CapacityResult | undefined;
    readonly failures: readonly string[];
  },
): ArmResult {
  const { capacity, failures } = seen;
  const turns = seen.turns.filter(isSound);
  const { wordLatencyMs, finalLatencyMs, firstPartialMs, upwr, wer } = summariseSpeakers(
    turns.flatMap(({ speakers }) => speakers),
  );
  const medianOf = (value: (turn: Turn) => number | null): number | null =>
    summarise(
      turns.flatMap((turn) => {
        const measured = value(turn);
        return measured === null ? [] : [measured];
      }),
    ).p50;
  const rssPerRoomMb = medianOf((turn) => turn.rssPerRoomMb);
  return {
    arm,
    wordLatencyMs,
    finalLatencyMs,
    firstPartialMs,
    upwr,
    wer,
    ...roundedUsage({
      talkingSpeakers: medianOf(({ talkingSpeakers }) => talkingSpeakers),
      cpuCores: medianOf(({ cpuCores }) => cpuCores),
      rssMb: medianOf(({ rssMb }) => rssMb),
      rssPerStreamMb: medianOf(({ rssPerStreamMb }) => rssPerStreamMb),
      othersCores: medianOf(({ othersCores }) => othersCores),
    }),
    rssPerRoomMb: rssPerRoomMb === null ? null : Math.round(rssPerRoomMb * 10) / 10,
    rounds: turns.length,
    unsoundRounds: seen.rounds - turns.length,
    streamsAtBudget:
      capacity === undefined
        ? null
        : {
            knee: capacity.knee,
            tooMuch: capacity.tooMuch,
            limit: capacity.limit,
            isMachineUsedUp: capacity.isMachineUsedUp,
            steps: capacity.steps,
          },
    failures: [...new Set(failures)],
  };
}

const isSound = ({ speakers }: Turn): boolean => speakers.every(({ sendFault }) => sendFault === null);

/** The same model on the same audio must have heard the same words; else the other figures compare different things. */
function textFailures(arms: readonly ArmResult[]): string[] {
  const floor = arms.find(({ arm }) => arm === 'sherpa-direct')?.wer;
  return arms.flatMap(({ arm, wer, failures }) => [
    ...failures.map((failure) => `${arm}: ${failure}`),
    ...(floor !== undefined && floor !== null && wer !== null && wer > floor + MAX_EXTRA_WER
      ? [`${arm}: its texts are worse than the recogniser's own: word errors ${wer} against ${floor}`]
      : []),
  ]);
}

/** From `gateway-websocket,livekit-agents`. Throws CaptionError `usage_arms`. */
export const parseArms = (text: string): Arm[] =>
  parseNameList(text, {
    known: ARMS,
    option: '--arms',
    refusal: (message) => new CaptionError('usage_arms', message),
  });
