import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CaptionError, msToSamples } from '../../protocol/index.js';
import { formatColumns } from '../../gateway/index.js';
import { loadClips } from '../load-clips.js';
import { measureCost, type MeasuringCost } from './measuring-cost.js';
import type { ScriptedWord } from './scripted-recogniser.js';
import { runStagesBench, type StageSample, type StagesResult } from './stages-bench.js';

/** Short sentences of the project's own speech: what is measured is the measuring, not the model. */
const CLIPS = ['monologue-02-paul', 'monologue-04-paul', 'monologue-05-paul'];
/** Ends a sentence. */
const SILENCE_MS = 900;

interface StagesFlags {
  readonly rounds: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** `bench stages`. */
export function registerStagesBench(program: Command, signal: AbortSignal): void {
  program
    .command('stages')
    .description(
      'a known delay in each stage in turn: is it reported there and in the total? What does measuring cost?',
    )
    .option('--rounds <n>', 'how often each is played', '3')
    .option('--out <folder>', 'keep raw samples there, as JSON Lines')
    .option('--json', 'print one JSON document')
    .action((flags: StagesFlags) => stages(flags, signal));
}

async function stages(flags: StagesFlags, signal: AbortSignal): Promise<void> {
  const rounds = Number(flags.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    throw new CaptionError('usage_number', '--rounds must be a whole number from 1 to 100.');
  const output = process.stderr;
  const { result, samples } = await runStagesBench({ ...(await speech()), rounds, output, signal });
  const cost = measureCost();
  if (flags.out !== undefined) await keepSamples(flags.out, samples);
  process.stdout.write(
    flags.json === true ? `${JSON.stringify({ ...result, cost }, null, 2)}\n` : format(result, cost),
  );
}

async function speech(): Promise<{ pcm: Int16Array; script: ScriptedWord[] }> {
  const manifest = fileURLToPath(new URL('../../../fixtures/speech/manifest.json', import.meta.url));
  const all = await loadClips(manifest);
  const clips = all.filter(({ id }) => CLIPS.includes(id));
  const silence = msToSamples(SILENCE_MS);
  const pcm = new Int16Array(clips.reduce((sum, clip) => sum + clip.pcm.length + silence, 0));
  const script: ScriptedWord[] = [];
  let at = 0;
  for (const clip of clips) {
    pcm.set(clip.pcm, at);
    for (const { text, endMs } of clip.words) script.push({ text, endSample: at + msToSamples(endMs) });
    at += clip.pcm.length + silence;
  }
  return { pcm, script };
}

/** In the form that `report --samples` reads. */
async function keepSamples(folder: string, samples: readonly StageSample[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = samples.map(({ totalMs, ...sample }) =>
    JSON.stringify({ kind: 'word', latencyMs: totalMs, ...sample }),
  );
  await writeFile(join(folder, 'stages-samples.jsonl'), lines.map((line) => `${line}\n`).join(''));
}

function format(
  { arms, delayMs, toleranceMs, rounds, failures, machine }: StagesResult,
  cost: MeasuringCost,
): string {
  const table = formatColumns([
    [`${delayMs} ms in`, 'its stage says', 'the total says', 'others at most', 'words'],
    ...arms.map(({ stage, stageMs, totalMs, otherMs, words }) => [
      stage,
      `${stageMs} ms`,
      `${totalMs} ms`,
      `${otherMs} ms`,
      String(words),
    ]),
  ]);
  const facts = [
    `medians over ${rounds} rounds against the same words without a delay; ${toleranceMs} ms are tolerated`,
    ...(failures.length === 0
      ? ['every delay was reported where it was']
      : failures.map((failure) => `failed: ${failure}`)),
    `measuring costs ${cost.microsecondsPerWord} µs a word, ${cost.percentOfCore} % of a core with ${cost.speakers} people who talk`,
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, load ${machine.load1} before, commit ${machine.commit ?? '–'}`,
  ];
  return `${table}\n${facts.join('\n')}\n`;
}
