import { performance } from 'node:perf_hooks';
import { monotonicMs, type MonotonicMs } from '../protocol/index.js';

/** Now, on this process's monotonic clock. */
export const monotonicNow = (): MonotonicMs => monotonicMs(performance.now());
