import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { versions } from './versions.js';

/** Where and when a figure was measured: without it, it says nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  /** Average number of running processes over the last minute, before the run. */
  readonly load1: number;
  /** Null outside a checkout. `+` marks changes that are not committed. */
  readonly commit: string | null;
  readonly date: string;
  /** Of this package and of what its figures depend on. Absent in runs that were kept before this was. */
  readonly versions?: Readonly<Record<string, string>>;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    commit: commitOf(),
    date: new Date().toISOString(),
    versions: versions(),
  };
}

/** More than this per core before the run makes its figures doubtful. */
const QUIET_LOAD_PER_CORE = 0.5;

export const isBusy = ({ load1, cores }: Pick<Machine, 'load1' | 'cores'>): boolean =>
  load1 > QUIET_LOAD_PER_CORE * cores;

export function warnIfBusy(machine: Machine, output: NodeJS.WritableStream): void {
  if (!isBusy(machine)) return;
  output.write(
    `Warning: the machine is busy (load ${machine.load1} on ${machine.cores} cores): figures are too high.\n`,
  );
}

function commitOf(): string | null {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return null;
  }
}
