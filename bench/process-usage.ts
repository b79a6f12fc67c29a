/** What a process and its children use, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** `getconf CLK_TCK` is 100 on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100;
const KIB_PER_MB = 1000 ** 2 / 1024;

export interface ProcessUsage {
  /** User and system time since it began, in seconds. */
  readonly cpuSeconds: number;
  /** Proportional set size: memory shared between processes is counted once. In MB. */
  readonly memoryMb: number;
  /** What no other process has a share in, in MB: unlike `memoryMb` it does not move when unrelated programs start or end. */
  readonly privateMb: number;
}

const NOTHING: ProcessUsage = { cpuSeconds: 0, memoryMb: 0, privateMb: 0 };

/** Of `pid` and all that it started. */
export function usageOfTree(pid: number): ProcessUsage {
  return sumOfUsages([pid, ...descendantsOf(pid)].map(usageOf));
}

export function sumOfUsages(usages: readonly ProcessUsage[]): ProcessUsage {
  return usages.reduce(
    (sum, usage) => ({
      cpuSeconds: sum.cpuSeconds + usage.cpuSeconds,
      memoryMb: sum.memoryMb + usage.memoryMb,
      privateMb: sum.privateMb + usage.privateMb,
    }),
    NOTHING,
  );
}

export function descendantsOf(pid: number): number[] {
  // Each thread has the children that it started itself.
  const children = threadsOf(pid)
    .flatMap((thread) => readProc(pid, `task/${thread}/children`).split(' '))
    .filter((child) => child !== '')
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Empty when the process has just ended. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Of `pid` alone. Zero when it is gone. */
export function usageOf(pid: number): ProcessUsage {
  const rollup = readProc(pid, 'smaps_rollup');
  return {
    cpuSeconds: parseCpuSeconds(readProc(pid, 'stat')),
    memoryMb: parseMemoryMb(rollup, 'Pss'),
    privateMb: parseMemoryMb(rollup, 'Private_Clean') + parseMemoryMb(rollup, 'Private_Dirty'),
  };
}

/** The text of /proc/PID/stat. The name in it may hold spaces and brackets. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 (utime) and 15 (stime) of proc(5), counted from the third.
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** A line of the text of /proc/PID/smaps_rollup; 0 where it is missing. */
export function parseMemoryMb(rollup: string, name: 'Pss' | 'Private_Clean' | 'Private_Dirty'): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / KIB_PER_MB;
}

/** Empty when the process has just ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
  } catch {
    return '';
  }
}
