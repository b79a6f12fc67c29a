/**
 * `bench latency`: N people talk to the real gateway over WebSocket ingest at the pace of speech; what a viewer has in its
 * reducer is held against what was said and when. Definitions: README of this folder.
 */
import { participantIdentity, roomName, type RoomName } from '../protocol/index.js';
import { type Summary, summarise, type TrackingResult } from '../asr/index.js';
import { CaptionWatch, connectCaptions, connectIngest, playPaced, readSpeech } from '../gateway/index.js';
import { type LoadedClip, scheduleClips, type SpeakerSchedule } from './clip-schedule.js';
import { scoreClips, type ScoredClip } from './clip-score.js';
import { GatewayProcess } from './gateway-process.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { readManifest } from './manifest.js';
import { UsageSampler } from './usage-sampler.js';

/** Meetings of this size, with one viewer each. */
const SPEAKERS_PER_ROOM = 10;
/** Neighbours do not say the same thing at the same time. */
const CLIPS_BETWEEN_SPEAKERS = 7;
const LEAD_TIME_MS = 300;

export interface LatencyOptions {
  readonly manifest: string;
  readonly speakers: number;
  /** Of meeting time; whole clips, at least one. */
  readonly seconds: number;
  /** Of a gateway that runs already; then its CPU and memory are not measured. */
  readonly url?: string;
  /** For remarks. */
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface LatencyResult {
  readonly wordLatencyMs: Summary;
  readonly finalLatencyMs: Summary;
  readonly firstPartialMs: Summary;
  /** Words shown in partials that later changed or vanished, per word of the finals. */
  readonly upwr: number | null;
  readonly wer: number | null;
  /** CPU seconds of the gateway and its children per second, while people talk. */
  readonly cpuCores: number | null;
  /** Memory of the gateway and its children at its highest. */
  readonly rssMb: number | null;
  /** What each speaker added to the memory of the idle gateway. */
  readonly rssPerStreamMb: number | null;
  /** Of words whose ends were labelled by hand only. */
  readonly handLabelledWordLatencyMs: Summary;
  readonly speakers: number;
  readonly seconds: number;
  readonly model: string | null;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** One raw measurement. */
export interface LatencySample {
  readonly speaker: number;
  readonly clip: string;
  readonly kind: 'word' | 'final' | 'firstPartial';
  readonly latencyMs: number;
}

interface SpeakerRun {
  readonly clips: readonly ScoredClip[];
  readonly tracking: TrackingResult;
}

export async function runLatencyBench(
  options: LatencyOptions,
): Promise<{ result: LatencyResult; samples: LatencySample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await Promise.all(
    (await readManifest(options.manifest)).map(async (clip): Promise<LoadedClip> => ({
      ...clip,
      pcm: await readSpeech(clip.path),
    })),
  );
  const schedules = Array.from({ length: options.speakers }, (_, index) =>
    scheduleClips(clips, {
      first: (index * CLIPS_BETWEEN_SPEAKERS) % clips.length,
      seconds: options.seconds,
    }),
  );
  const gateway = options.url === undefined ? await GatewayProcess.start() : undefined;
  try {
    const usage = gateway === undefined ? undefined : new UsageSampler(gateway);
    const url = gateway?.url ?? options.url ?? '';
    const failures: string[] = [];
    const speakers = await play({ url, schedules, usage, failures, signal: options.signal });
    const result: LatencyResult = {
      ...summariseSpeakers(speakers),
      cpuCores: rounded(usage?.cpuCores, 3),
      rssMb: rounded(usage?.peakMb, 1),
      rssPerStreamMb: rounded(usage?.memoryPerStreamMb(options.speakers), 2),
      speakers: options.speakers,
      seconds: options.seconds,
      model: gateway?.model ?? null,
      failures,
      machine,
    };
    return { result, samples: speakers.flatMap(samplesOf) };
  } finally {
    await gateway?.close();
  }
}

async function play(options: {
  url: string;
  schedules: readonly SpeakerSchedule[];
  usage: UsageSampler | undefined;
  failures: string[];
  signal: AbortSignal;
}): Promise<SpeakerRun[]> {
  const { url, schedules, usage, failures, signal } = options;
  const watch = new CaptionWatch();
  const rooms = Array.from({ length: Math.ceil(schedules.length / SPEAKERS_PER_ROOM) }, (_, index) =>
    benchRoom(index),
  );
  const viewers = rooms.map((room) =>
    connectCaptions({
      url,
      room,
      changed: (state, message) => watch.observe(state, message, performance.now()),
    }),
  );
  const clients = schedules.map((_, index) =>
    connectIngest({
      url,
      room: benchRoom(Math.floor(index / SPEAKERS_PER_ROOM)),
      speaker: { identity: participantIdentity(identityOf(index)), name: '' },
    }),
  );
  try {
    await Promise.all([...viewers, ...clients].map(({ ready }) => ready));
    usage?.start();
    const startAtMs = performance.now() + LEAD_TIME_MS;
    const tracks = schedules.map(({ pcm }, index) => ({
      pcm,
      send: (frame: Int16Array) => clients[index]?.send(frame),
    }));
    await playPaced(tracks, { startAtMs, signal });
    usage?.stop();
    signal.throwIfAborted();
    await Promise.all(
      clients.map((client) => client.end().catch((error: unknown) => failures.push(String(error)))),
    );
    await Promise.all(viewers.map((viewer) => viewer.settled()));
    return schedules.map((schedule, index) => {
      const tracking = watch.resultOf(identityOf(index));
      return { tracking, clips: scoreClips(schedule, { tracking, startAtMs }) };
    });
  } finally {
    for (const connection of [...viewers, ...clients]) connection.close();
  }
}

const benchRoom = (index: number): RoomName => roomName(`bench-${index + 1}`);
const identityOf = (index: number): string => `speaker-${index + 1}`;

function summariseSpeakers(
  speakers: readonly SpeakerRun[],
): Pick<
  LatencyResult,
  'wordLatencyMs' | 'finalLatencyMs' | 'firstPartialMs' | 'handLabelledWordLatencyMs' | 'upwr' | 'wer'
> {
  const clips = speakers.flatMap((speaker) => speaker.clips);
  const byHand = clips.filter(({ clip }) => clip.clip.isHandLabelled);
  const shownWords = sum(speakers, ({ tracking }) => tracking.words.length);
  const spokenWords = sum(clips, ({ words }) => words?.spoken ?? 0);
  return {
    wordLatencyMs: roundedSummary(clips.flatMap(({ measured }) => measured.wordLatenciesMs)),
    finalLatencyMs: roundedSummary(clips.flatMap(({ measured }) => measured.finalLatenciesMs)),
    firstPartialMs: roundedSummary(clips.flatMap(({ measured }) => measured.firstPartialsMs)),
    handLabelledWordLatencyMs: roundedSummary(byHand.flatMap(({ measured }) => measured.wordLatenciesMs)),
    upwr: ratio(
      sum(speakers, ({ tracking }) => tracking.changedWords),
      shownWords,
    ),
    wer: ratio(
      sum(clips, ({ words }) => words?.errors ?? 0),
      spokenWords,
    ),
  };
}

function samplesOf({ clips }: SpeakerRun, index: number): LatencySample[] {
  return clips.flatMap(({ clip, measured }) => {
    const sampled = (kind: LatencySample['kind'], latenciesMs: readonly number[]): LatencySample[] =>
      latenciesMs.map((latencyMs) => ({ speaker: index + 1, clip: clip.clip.id, kind, latencyMs }));
    return [
      ...sampled('word', measured.wordLatenciesMs),
      ...sampled('final', measured.finalLatenciesMs),
      ...sampled('firstPartial', measured.firstPartialsMs),
    ];
  });
}

const sum = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((total, item) => total + value(item), 0);
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : rounded(part / whole, 4));
const roundedSummary = (values: readonly number[]): Summary =>
  summarise(values.map((value) => Math.round(value)));

function rounded(value: number, digits: number): number;
function rounded(value: number | null | undefined, digits: number): number | null;
function rounded(value: number | null | undefined, digits: number): number | null {
  return value === null || value === undefined ? null : Number(value.toFixed(digits));
}
