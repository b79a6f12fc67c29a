import { setTimeout as pause } from 'node:timers/promises';
import { descendantsOf, usageOf } from './process-usage.js';

/** The recogniser that works most in this time; one that stands by does nothing. */
const WATCHED_MS = 250;

/** The one whose end captions would feel; undefined when a gateway has none. */
export async function busiestRecogniser(gatewayPid: number): Promise<number | undefined> {
  const pids = descendantsOf(gatewayPid);
  const before = pids.map((pid) => usageOf(pid).cpuSeconds);
  await pause(WATCHED_MS);
  const used = pids.map((pid, index) => usageOf(pid).cpuSeconds - (before[index] ?? 0));
  return pids[used.indexOf(Math.max(...used))];
}
