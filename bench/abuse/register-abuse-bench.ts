import type { Command } from 'commander';
import { resolve } from 'node:path';
import { CaptionError } from '../../protocol/index.js';
import { formatColumns } from '../../gateway/index.js';
import { machineLine, value, wholeMs } from '../bench-tables.js';
import { type AbuseResult, parseAttacks, runAbuseBench } from './abuse-bench.js';
import { ATTACKS } from './attacks.js';
import { LAPS } from './honest-people.js';

interface AbuseFlags {
  readonly attacks?: string;
  readonly seconds: string;
  readonly seed: string;
  readonly program?: string;
  readonly manifest?: string;
  readonly json?: boolean;
}

const MAX_SECONDS = 60;

/** `bench abuse`; `manifest` finds the clips where none are named. */
export function registerAbuseBench(
  program: Command,
  { manifest, signal }: { readonly manifest: () => string; readonly signal: AbortSignal },
): void {
  program
    .command('abuse')
    .description(
      'known attacks and hostile input while an honest person talks: does the gateway withstand them?',
    )
    .option('--attacks <list>', `some of ${ATTACKS.map(({ name }) => name).join(',')}`)
    .option('--seconds <s>', 'how long each flood lasts', '8')
    .option('--seed <n>', 'of hostile input', '1')
    .option('--program <file>', 'attack another build: its dist/gateway/main.js')
    .option('--manifest <file>', 'clips with word times (default: ../shared/speech, else fixtures/speech)')
    .option('--json', 'print one JSON document')
    .action((flags: AbuseFlags) => abuse(flags, { manifest, signal }));
}

/** Throws CaptionError `gateway_not_withstanding` after the result has been printed. */
async function abuse(
  flags: AbuseFlags,
  { manifest, signal }: { readonly manifest: () => string; readonly signal: AbortSignal },
): Promise<void> {
  const result = await runAbuseBench({
    manifest: flags.manifest ?? manifest(),
    attacks: flags.attacks === undefined ? ATTACKS.map(({ name }) => name) : parseAttacks(flags.attacks),
    seconds: wholeNumber('--seconds', flags.seconds, MAX_SECONDS),
    seed: wholeNumber('--seed', flags.seed, 2 ** 31),
    program: flags.program === undefined ? undefined : resolve(flags.program),
    output: process.stderr,
    signal,
  });
  process.stdout.write(
    flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : formatAbuseResult(result),
  );
  const failed = result.results.filter(({ failures }) => failures.length > 0).map(({ attack }) => attack);
  if (failed.length > 0 || result.notTried.length > 0)
    throw new CaptionError(
      'attack_not_withstood',
      [
        ...(failed.length > 0 ? [`Not withstood: ${failed.join(', ')}.`] : []),
        ...(result.notTried.length > 0 ? [`Not tried: ${result.notTried.join('; ')}.`] : []),
      ].join(' '),
    );
}

export function formatAbuseResult({ results, notTried, machine, seconds, seed }: AbuseResult): string {
  const rows = [
    [
      '',
      'sent',
      'answered',
      'p50, p95 before',
      'during',
      'after',
      'lost words',
      'memory, MB',
      'silent',
      'log',
      'verdict',
    ],
    ...results.map(({ attack, outcome, laps, ...seen }) => [
      attack,
      `${outcome.messages} / ${size(outcome.bytes)} / ${outcome.connections}`,
      answersText(outcome.answers),
      ...LAPS.map((lap) => `${laps[lap].p50 ?? '–'}, ${laps[lap].p95 ?? '–'}`),
      String(laps.during.lostWords + laps.after.lostWords),
      `${seen.beforeMb} / ${seen.peakMb} / ${seen.afterMb}`,
      wholeMs(seen.longestSilenceMs),
      String(seen.logLines),
      seen.end !== null ? 'ENDED' : seen.failures.length > 0 ? 'FAILED' : 'withstood',
    ]),
  ];
  const facts = [
    'sent: messages / bytes / connections; memory: before / peak / afterwards; silent: longest time without an answer of /healthz',
    ...results.flatMap(({ attack, title, failures, outcome, othersCores }) => [
      `${attack}: ${title}${outcome.remarks.length > 0 ? ` (${outcome.remarks.join('; ')})` : ''}; other programs ${value(othersCores, 'cores')}`,
      ...failures.map((failure) => `  failed: ${failure}`),
    ]),
    ...notTried.map((reason) => `not tried: ${reason}`),
    `floods of ${seconds} s, seed ${seed}`,
    machineLine(machine),
  ];
  return `${formatColumns(rows)}\n${facts.join('\n')}\n`;
}

const size = (bytes: number): string =>
  bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

const MOST_ANSWERS = 3;
const answersText = (answers: Readonly<Record<string, number>>): string =>
  Object.entries(answers)
    .slice(0, MOST_ANSWERS)
    .map(([answer, times]) => `${times} × ${answer}`)
    .join(', ') || '–';

function wholeNumber(name: string, raw: string, max: number): number {
  const number = Number(raw);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new CaptionError('usage_number', `${name} must be a whole number from 1 to ${max}.`);
}
