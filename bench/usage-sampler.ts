import type { ProcessUsage } from './process-usage.js';

const SAMPLE_INTERVAL_MS = 1000;

/**
 * CPU and memory of a gateway between `start` and `stop`, sampled each second. Work that is done after `speechEnded` is still
 * counted, but not the time it takes: a gateway that falls behind must not look cheaper than one that keeps up.
 */
export class UsageSampler {
  readonly #usage: () => ProcessUsage;
  #timer: NodeJS.Timeout | undefined;
  #started: { cpuSeconds: number; atMs: number } | undefined;
  #cpuCores: number | null = null;
  #peakMb: number | null = null;
  #speechEndedAtMs: number | undefined;

  constructor(gateway: { usage(): ProcessUsage }) {
    this.#usage = () => gateway.usage();
  }

  /** CPU seconds per second of speech; null before the first sample. */
  get cpuCores(): number | null {
    return this.#cpuCores;
  }

  /** Memory at its highest; null before the first sample. */
  get peakMb(): number | null {
    return this.#peakMb;
  }

  start(): void {
    this.#started = { cpuSeconds: this.#usage().cpuSeconds, atMs: performance.now() };
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  /** Nobody talks any more; what they said may still be worked on. */
  speechEnded(): void {
    this.#speechEndedAtMs = performance.now();
  }

  /** Takes a last sample. Does nothing when it was not started or is stopped already. */
  stop(): void {
    clearInterval(this.#timer);
    this.#sample();
    this.#started = undefined;
  }

  #sample(): void {
    if (this.#started === undefined) return;
    const { cpuSeconds, memoryMb } = this.#usage();
    const elapsedS = ((this.#speechEndedAtMs ?? performance.now()) - this.#started.atMs) / 1000;
    this.#cpuCores = (cpuSeconds - this.#started.cpuSeconds) / elapsedS;
    this.#peakMb = Math.max(this.#peakMb ?? 0, memoryMb);
  }
}

/**
 * What each further speaker costs: the peak with `further` more of them less the peak without, for each. Null without samples; never
 * negative, because what the garbage collector gave back is nobody's gain.
 */
export function memoryPerFurtherSpeakerMb(peaks: {
  readonly fewerMb: number | null;
  readonly moreMb: number | null;
  /** At least 1. */
  readonly further: number;
}): number | null {
  const { fewerMb, moreMb, further } = peaks;
  if (fewerMb === null || moreMb === null) return null;
  return Math.max(0, moreMb - fewerMb) / further;
}
