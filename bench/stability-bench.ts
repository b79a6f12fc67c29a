/** `bench stability`: how restless the captions of people who talk are. Definitions: README of this folder. */
import { scheduleSpeakers } from './clip-schedule.js';
import { ErasureTracker } from './erasure-tracker.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { playSpeakers } from './play-speakers.js';
import type { Sample } from './samples.js';
import type { Stage } from './stage.js';
import { roomOfSpeaker } from './venue.js';

export interface StabilityOptions {
  readonly manifest: string;
  readonly speakers: number;
  readonly seconds: number;
  readonly openStage: () => Promise<Stage>;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface StabilityResult {
  /** Words that changed or vanished after they were shown, per word of the finals. */
  readonly upwr: number | null;
  /** Versions that do not continue the one before, per segment. */
  readonly upsr: number | null;
  /** Words erased from the end between versions, as shown, per word of the finals. */
  readonly normalisedErasure: number | null;
  /** Messages with a changed caption that one viewer of a room gets, per second while people talk. */
  readonly updatesPerSecond: number | null;
  readonly words: number;
  readonly segments: number;
  readonly speakers: number;
  readonly seconds: number;
  readonly model: string | null;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** Throws what `loadClips`, opening the stage and `playSpeakers` throw. */
export async function runStabilityBench(
  options: StabilityOptions,
): Promise<{ result: StabilityResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const clips = await loadClips(options.manifest);
  const schedules = scheduleSpeakers(clips, options);
  const failures: string[] = [];
  const stage = await options.openStage();
  try {
    const erasure = new ErasureTracker();
    let updates = 0;
    const runs = await playSpeakers({
      venue: stage.venue,
      rooms: 'bench-stability',
      schedules,
      observe: (state, message) => {
        erasure.observe(state, message);
        if (message.kind === 'delta') updates += 1;
      },
      failed: (reason) => failures.push(reason),
      signal: options.signal,
    });
    const sum = (value: (run: (typeof runs)[number]) => number): number =>
      runs.reduce((all, run) => all + value(run), 0);
    const words = sum(({ tracking }) => tracking.words.length);
    const segments = sum(({ tracking }) => tracking.segments.length);
    const erased = erasure.result();
    const playedS = Math.max(...schedules.map(({ pcm }) => pcm.length)) / 16_000;
    const rooms = new Set(schedules.map((_, index) => roomOfSpeaker('', index))).size;
    const result: StabilityResult = {
      upwr: ratio(
        sum(({ tracking }) => tracking.changedWords),
        words,
      ),
      upsr: ratio(
        sum(({ tracking }) => tracking.partialsNotPrefix),
        segments,
      ),
      normalisedErasure: ratio(
        erased.reduce((all, { erasedWords }) => all + erasedWords, 0),
        erased.reduce((all, { finalWords }) => all + finalWords, 0),
      ),
      updatesPerSecond: ratio(updates / rooms, playedS),
      words,
      segments,
      speakers: options.speakers,
      seconds: options.seconds,
      model: stage.gateway?.model ?? null,
      failures,
      machine,
    };
    const samples = [
      ...erased.map(({ segment, erasedWords, finalWords }) => ({
        metric: 'normalisedErasure',
        value: erasedWords,
        weight: finalWords,
        cluster: segment,
      })),
      ...runs.map(({ tracking }, index) => ({
        metric: 'upwr',
        value: tracking.changedWords,
        weight: tracking.words.length,
        cluster: `speaker-${index + 1}`,
      })),
    ];
    return { result, samples };
  } finally {
    await stage.close();
  }
}

const ratio = (part: number, whole: number): number | null =>
  whole === 0 ? null : Number((part / whole).toFixed(4));
