/** What programs that are no part of a bench take of the processors meanwhile, from Linux's /proc. */
import { readFileSync } from 'node:fs';
import { TICKS_PER_SECOND, usageOfTree } from './process-usage.js';

/** Others may use this many cores, of a machine of two, before figures are doubtful. */
const QUIET_CORES = 0.2;

export const isDisturbed = (othersCores: number | null): boolean =>
  othersCores !== null && othersCores > QUIET_CORES;

/** Begins to count where it is made. */
export class ForeignLoad {
  readonly #startedAtMs = performance.now();
  readonly #startedS = foreignSeconds();

  /** Cores, on average until now: other programs, and what a hypervisor took away. Null where /proc does not tell. */
  cores(): number | null {
    const nowS = foreignSeconds();
    if (nowS === null || this.#startedS === null) return null;
    const elapsedS = (performance.now() - this.#startedAtMs) / 1000;
    return elapsedS <= 0 ? null : Math.max(0, nowS - this.#startedS) / elapsedS;
  }
}

/** Processor time of everything but this process and all that it started. */
function foreignSeconds(): number | null {
  try {
    const busyS = busySeconds(readFileSync('/proc/stat', 'utf8'));
    return busyS === null ? null : busyS - usageOfTree(process.pid).cpuSeconds;
  } catch {
    return null;
  }
}

/** Of all processors, from `/proc/stat` (proc(5)): all but `idle` and `iowait`; guests are counted in `user` already. */
export function busySeconds(stat: string): number | null {
  const [, ...ticks] = /^cpu +(\d+) (\d+) (\d+) \d+ \d+ (\d+) (\d+) (\d+)/.exec(stat) ?? [];
  return ticks.length === 0 ? null : ticks.reduce((sum, of) => sum + Number(of), 0) / TICKS_PER_SECOND;
}
