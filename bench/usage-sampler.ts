import type { GatewayProcess } from './gateway-process.js';

const SAMPLE_INTERVAL_MS = 1000;

/** CPU and memory of a gateway between `start` and `stop`, against what it was when idle. */
export class UsageSampler {
  readonly #gateway: Pick<GatewayProcess, 'usage'>;
  readonly #idleMb: number;
  #timer: NodeJS.Timeout | undefined;
  #started: { cpuSeconds: number; atMs: number } | undefined;
  cpuCores: number | null = null;
  peakMb: number | null = null;

  /** The gateway is idle now. */
  constructor(gateway: Pick<GatewayProcess, 'usage'>) {
    this.#gateway = gateway;
    this.#idleMb = gateway.usage().memoryMb;
  }

  start(): void {
    this.#started = { cpuSeconds: this.#gateway.usage().cpuSeconds, atMs: performance.now() };
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#sample();
  }

  /** What `streams` speakers added to the idle gateway, each. */
  memoryPerStreamMb(streams: number): number | null {
    return this.peakMb === null ? null : Math.max(0, this.peakMb - this.#idleMb) / streams;
  }

  #sample(): void {
    if (this.#started === undefined) return;
    const { cpuSeconds, memoryMb } = this.#gateway.usage();
    const elapsedS = (performance.now() - this.#started.atMs) / 1000;
    this.cpuCores = (cpuSeconds - this.#started.cpuSeconds) / elapsedS;
    this.peakMb = Math.max(this.peakMb ?? 0, memoryMb);
  }
}
