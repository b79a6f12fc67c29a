/**
 * `bench stages`: does the measuring measure? A known delay is put into each stage in turn, in the real pipeline at the pace
 * of speech: gate, stream, segments, room, viewer; what the voice gate and the recogniser
 * say is scripted, so that a busy machine disturbs less. What the stage and the total say is compared with the same words without a delay.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AsrEvent, percentile } from '../../asr/index.js';
import type { VadRequest } from '../../asr/gate/silero-vad.js';
import { VadBatcher } from '../../asr/gate/vad-batcher.js';
import { msToSamples, participantIdentity, roomName, sampleIndex } from '../../protocol/index.js';
import { createLogger, playPaced } from '../../gateway/index.js';
import type { LatencyObserver } from '../../gateway/latency/latency-observer.js';
import { RoomLatency } from '../../gateway/latency/room-latency.js';
import { type Stage, STAGES, type WordLatency } from '../../gateway/latency/word-latency.js';
import { Room } from '../../gateway/rooms/room.js';
import { SpeakerPipeline } from '../../gateway/rooms/speaker-pipeline.js';
import { describeMachine, type Machine, warnIfBusy } from '../machine.js';
import { delayedEngine } from './delayed-engine.js';
import { type ScriptedWord, scriptedRecogniser } from './scripted-recogniser.js';

export const STAGE_DELAY_MS = 250;
/** What is reported may differ by so much. */
const TOLERANCE_MS = 20;
/** A viewer's report takes so long without a delay. */
const REPORT_MS = 5;
/** The sample clock is set by audio that came at once; words of this time do not count. */
const LEAD_MS = 1500;
/** Mean absolute sample of speech, at least. */
const LOUD = 60;
/** Arms do not want anything at the same moment. */
const STAGGER_MS = 37;

export interface StagesOptions {
  /** What is said in `pcm`. */
  readonly script: readonly ScriptedWord[];
  /** 16 kHz mono: some sentences with silence after each, at most nine seconds, the first within `LEAD_MS`. */
  readonly pcm: Int16Array;
  readonly rounds: number;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface StageArm {
  readonly stage: Stage;
  /** Words that were compared. */
  readonly words: number;
  /** Medians over the words, against the same words without a delay. */
  readonly stageMs: number;
  readonly totalMs: number;
  /** Of the stages without a delay, the one that differs most. */
  readonly otherMs: number;
}

export interface StagesResult {
  readonly delayMs: number;
  readonly toleranceMs: number;
  readonly arms: readonly StageArm[];
  readonly rounds: number;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** A word that was compared: its place tells it from the others of the audio. */
export interface StageSample extends Pick<WordLatency, 'stagesMs' | 'totalMs'> {
  readonly arm: Stage | 'none';
  readonly word: number;
  readonly round: number;
}

export async function runStagesBench(
  options: StagesOptions,
): Promise<{ result: StagesResult; samples: StageSample[] }> {
  const { rounds, output, signal } = options;
  const machine = describeMachine();
  warnIfBusy(machine, output);
  const samples: StageSample[] = [];
  for (let round = 1; round <= rounds; round++) {
    output.write(`round ${round} of ${rounds}\n`);
    const together = ['none', ...STAGES.filter((stage) => stage !== 'segment')] as const;
    const results = await Promise.all(
      together.map(async (arm, index) => {
        await sleep(index * STAGGER_MS, undefined, { signal });
        return playArm(options, arm);
      }),
    );
    // Alone, because it holds everybody up.
    const blocked = await playArm(options, 'segment');
    for (const [index, arm] of together.entries())
      samples.push(...numbered(results[index] ?? [], { arm, round }));
    samples.push(...numbered(blocked, { arm: 'segment', round }));
  }
  const arms = STAGES.map((stage) => compareArm(stage, samples));
  return {
    result: {
      delayMs: STAGE_DELAY_MS,
      toleranceMs: TOLERANCE_MS,
      arms,
      rounds,
      failures: arms.flatMap(failuresOf),
      machine,
    },
    samples,
  };
}

const numbered = (words: readonly PlacedWord[], of: Pick<StageSample, 'arm' | 'round'>): StageSample[] =>
  words.map(({ place, latency: { stagesMs, totalMs } }) => ({ ...of, word: place, stagesMs, totalMs }));

interface PlacedWord {
  /** In the audio, from 0. */
  readonly place: number;
  readonly latency: WordLatency;
}

/** Whoever is loud speaks: a model would get behind on a busy machine, and be measured in place of the delay. */
const LOUDNESS = {
  judge: (requests: readonly VadRequest[]): Promise<Float32Array> =>
    Promise.resolve(
      Float32Array.from(requests, ({ frame }) => {
        const sum = frame.reduce((total, sample) => total + Math.abs(sample), 0);
        return sum / frame.length > LOUD ? 0.95 : 0.05;
      }),
    ),
};

/** The words that count. */
async function playArm(parts: StagesOptions, arm: Stage | 'none'): Promise<PlacedWord[]> {
  const { pcm, script, signal } = parts;
  const now = (): number => performance.now();
  const words: WordLatency[] = [];
  const ignored = (): void => undefined;
  const observer: LatencyObserver = {
    word: (_room, latency) => void words.push(latency),
    final: ignored,
    firstPartial: ignored,
    revised: ignored,
    gap: ignored,
  };
  const name = roomName(`stages-${arm}`);
  const latency = new RoomLatency({ room: name, observer, now });
  const room = new Room(name, Date.now(), latency);
  const delayOf = (stage: Stage): number => (stage === arm ? STAGE_DELAY_MS : 0);
  room.addViewer({
    sendSnapshot: ignored,
    send: (_bytes, { seq }) =>
      void setTimeout(() => latency.acknowledged(seq, 'probe'), REPORT_MS + delayOf('delivery')),
  });
  const segments = new ShownWords();
  const engine = delayedEngine({
    pool: scriptedRecogniser(script, msToSamples(delayOf('lookahead'))),
    batcher: new VadBatcher(LOUDNESS, ignored),
    model: { casing: 'upper', punctuates: false, languages: ['en'] },
    stage: arm === 'none' ? undefined : arm,
    delayMs: STAGE_DELAY_MS,
    told: (event) => segments.told(event),
  });
  const pipeline = new SpeakerPipeline({
    speaker: { identity: participantIdentity('ana'), name: '' },
    room,
    engine,
    language: 'en',
    vocabulary: [],
    log: createLogger('silent'),
  });
  const startAtMs = now() + 100;
  let sent = 0;
  const late: Promise<void>[] = [];
  const send = (frame: Int16Array): void => {
    const firstSample = sampleIndex(sent);
    sent += frame.length;
    const isLate = arm === 'arrival' && sent > (LEAD_MS / 1000) * 16_000;
    if (!isLate) pipeline.push(frame, firstSample);
    else late.push(sleep(STAGE_DELAY_MS).then(() => pipeline.push(frame, firstSample)));
  };
  await playPaced([{ pcm, send }], { startAtMs, signal });
  signal.throwIfAborted();
  await Promise.all(late);
  await pipeline.close();
  // The report on the last word, and a call that takes note of it.
  await sleep(STAGE_DELAY_MS + 100);
  latency.words([]);
  const which = arm === 'segment' ? 'in the first text' : 'before the final';
  return segments
    .select(words, which)
    .filter(({ latency: { spokenAtMs } }) => spokenAtMs > startAtMs + LEAD_MS);
}

/** Which words of the finals were shown when. A final comes at once, whatever the recogniser would have liked to hear. */
class ShownWords {
  readonly #open = new Map<number, { readonly first: number; last: number }>();
  readonly #finals: { readonly first: number; readonly last: number; readonly all: number }[] = [];

  told(event: AsrEvent): void {
    if (event.kind !== 'segment') return;
    const { segment, words, isFinal } = event;
    const known = this.#open.get(segment);
    if (isFinal) this.#finals.push({ first: known?.first ?? 0, last: known?.last ?? 0, all: words.length });
    else if (known !== undefined) known.last = words.length;
    else if (words.length > 0) this.#open.set(segment, { first: words.length, last: words.length });
  }

  /** `words`: those of all finals, in their order. */
  select(words: readonly WordLatency[], which: 'in the first text' | 'before the final'): PlacedWord[] {
    let from = 0;
    return this.#finals.flatMap(({ first, last, all }) => {
      const count = Math.min(all, which === 'in the first text' ? first : last);
      const own = words.slice(from, from + count).map((latency, index) => ({ place: from + index, latency }));
      from += all;
      return own;
    });
  }
}

function compareArm(stage: Stage, samples: readonly StageSample[]): StageArm {
  const byWord = (arm: StageSample['arm'], value: (sample: StageSample) => number): Map<number, number> => {
    const values = new Map<number, number[]>();
    for (const sample of samples.filter((candidate) => candidate.arm === arm))
      values.set(sample.word, [...(values.get(sample.word) ?? []), value(sample)]);
    return new Map([...values].map(([word, of]) => [word, percentile(of, 50) ?? 0]));
  };
  const difference = (value: (sample: StageSample) => number): number[] => {
    const without = byWord('none', value);
    return [...byWord(stage, value)].flatMap(([word, ms]) => {
      const usual = without.get(word);
      return usual === undefined ? [] : [ms - usual];
    });
  };
  const median = (values: readonly number[]): number => Math.round((percentile(values, 50) ?? NaN) * 10) / 10;
  const others = STAGES.filter((other) => other !== stage).map((other) =>
    median(difference(({ stagesMs }) => stagesMs[other])),
  );
  const total = difference(({ totalMs }) => totalMs);
  return {
    stage,
    words: total.length,
    stageMs: median(difference(({ stagesMs }) => stagesMs[stage])),
    totalMs: median(total),
    otherMs: others.reduce((worst, ms) => (Math.abs(ms) > Math.abs(worst) ? ms : worst), 0),
  };
}

function failuresOf({ stage, words, stageMs, totalMs }: StageArm): string[] {
  if (words === 0) return [`${stage}: no word could be compared`];
  return [['stage', stageMs] as const, ['total', totalMs] as const].flatMap(([what, ms]) =>
    Math.abs(ms - STAGE_DELAY_MS) <= TOLERANCE_MS
      ? []
      : [`${stage}: the ${what} says ${ms} ms of ${STAGE_DELAY_MS}`],
  );
}
