import type { ProcessUsage } from '../process-usage.js';

export function sumOfUsages(processes: readonly { usage(): ProcessUsage }[]): ProcessUsage {
  const usages = processes.map((process) => process.usage());
  return {
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    memoryMb: usages.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
  };
}
