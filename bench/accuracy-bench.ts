/**
 * `bench accuracy`: each clip that has a transcript is said once, by several people at once in rooms of ten, through the real
 * gateway; what viewers have in the end is held against the transcripts. Definitions: README of this folder.
 */
import {
  creditedByChance,
  type ErrorCounts,
  scoreSpeaker,
  type SpeakerWords,
  wordsCreditedToOthers,
} from './accuracy-score.js';
import { scheduleOnce } from './clip-schedule.js';
import { loadClips } from './load-clips.js';
import { describeMachine, type Machine, warnIfBusy } from './machine.js';
import { playSpeakers, type SpeakerRun } from './play-speakers.js';
import type { Sample } from './samples.js';
import type { Stage } from './stage.js';
import { roomOfSpeaker } from './venue.js';

export interface AccuracyOptions {
  readonly manifest: string;
  /** Among whom the clips are dealt. */
  readonly speakers: number;
  /** Of the clips, the first so many; default all. */
  readonly clips?: number | undefined;
  readonly openStage: () => Promise<Stage>;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export interface AccuracyResult {
  /** Errors per spoken word, lower case and without punctuation. */
  readonly wer: number | null;
  readonly substitutions: number;
  readonly deletions: number;
  readonly insertions: number;
  readonly spokenWords: number;
  /** Case and punctuation count as well, over the clips whose transcripts have them; null without such clips. */
  readonly formattedWer: number | null;
  readonly formattedTokens: number;
  /** The plain rate of those clips, to tell what case and punctuation add. */
  readonly formattedClipsWer: number | null;
  /** Words that are missing with one speaker and too many with another of the room at that moment. */
  readonly wrongSpeakerWords: number;
  /** How many of them are to be expected if there is none: common words that are missing here and misheard there. */
  readonly wrongSpeakerWordsByChance: number;
  readonly speakers: number;
  readonly clips: number;
  readonly model: string | null;
  readonly failures: readonly string[];
  readonly machine: Machine;
}

/** Throws what `loadClips`, opening the stage and `playSpeakers` throw. */
export async function runAccuracyBench(
  options: AccuracyOptions,
): Promise<{ result: AccuracyResult; samples: Sample[] }> {
  const machine = describeMachine();
  warnIfBusy(machine, options.output);
  const all = (await loadClips(options.manifest)).filter(({ text }) => text !== null && text !== '');
  const clips = all.slice(0, options.clips ?? all.length);
  const speakers = Math.min(options.speakers, clips.length);
  const schedules = Array.from({ length: speakers }, (_, speaker) =>
    scheduleOnce(clips.filter((_clip, index) => index % speakers === speaker)),
  );
  const failures: string[] = [];
  const stage = await options.openStage();
  try {
    const runs = await playSpeakers({
      venue: stage.venue,
      rooms: 'bench-accuracy',
      schedules,
      failed: (reason) => failures.push(reason),
      signal: options.signal,
    });
    const scored = runs.map((run) => ({ run, words: wordsOf(run) }));
    const errors = scored.flatMap(({ words }, speaker) =>
      scoreSpeaker(words).map((clip) => ({ ...clip, cluster: `${speaker + 1}/${clip.clip.clip.id}` })),
    );
    const formatted = errors.flatMap(({ formatted: counts }) => counts ?? []);
    const plain = total(errors.map((clip) => clip.plain));
    const rooms = byRoom(scored.map(({ words }) => words));
    const result: AccuracyResult = {
      wer: rateOf(plain),
      substitutions: plain.substitutions,
      deletions: plain.deletions,
      insertions: plain.insertions,
      spokenWords: plain.spoken,
      formattedWer: rateOf(total(formatted)),
      formattedTokens: total(formatted).spoken,
      formattedClipsWer: rateOf(
        total(errors.filter((clip) => clip.formatted !== null).map((clip) => clip.plain)),
      ),
      wrongSpeakerWords: rooms.reduce((sum, room) => sum + wordsCreditedToOthers(room), 0),
      wrongSpeakerWordsByChance: rooms.reduce((sum, room) => sum + creditedByChance(room), 0),
      speakers,
      clips: clips.length,
      model: stage.gateway?.model ?? null,
      failures,
      machine,
    };
    const samples = errors.flatMap(({ plain: inClip, formatted: inReadable, cluster }): Sample[] => [
      { metric: 'wer', value: errorsOf(inClip), weight: inClip.spoken, cluster },
      ...(inReadable === null
        ? []
        : [{ metric: 'formattedWer', value: errorsOf(inReadable), weight: inReadable.spoken, cluster }]),
    ]);
    return { result, samples };
  } finally {
    await stage.close();
  }
}

const wordsOf = ({ clips, tracking, startAtMs }: SpeakerRun): SpeakerWords => ({
  clips: clips.map(({ clip }) => clip),
  words: tracking.words,
  startEpochMs: performance.timeOrigin + startAtMs,
});

function byRoom(speakers: readonly SpeakerWords[]): SpeakerWords[][] {
  const rooms = new Map<string, SpeakerWords[]>();
  for (const [index, speaker] of speakers.entries()) {
    const name = roomOfSpeaker('', index);
    rooms.set(name, [...(rooms.get(name) ?? []), speaker]);
  }
  return [...rooms.values()];
}

const errorsOf = ({ substitutions, deletions, insertions }: ErrorCounts): number =>
  substitutions + deletions + insertions;

const rateOf = (counts: ErrorCounts): number | null =>
  counts.spoken === 0 ? null : Number((errorsOf(counts) / counts.spoken).toFixed(4));

const total = (counts: readonly ErrorCounts[]): ErrorCounts => ({
  substitutions: counts.reduce((sum, { substitutions }) => sum + substitutions, 0),
  deletions: counts.reduce((sum, { deletions }) => sum + deletions, 0),
  insertions: counts.reduce((sum, { insertions }) => sum + insertions, 0),
  spoken: counts.reduce((sum, { spoken }) => sum + spoken, 0),
});
