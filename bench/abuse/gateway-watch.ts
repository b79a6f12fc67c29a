/** What a gateway does while it is attacked: memory, whether it answers, whether it lives. */
import type { GatewayProcess } from '../gateway-process.js';
import type { AttackObservation } from './abuse-verdict.js';
import type { Lap } from './honest-people.js';

const LOOK_INTERVAL_MS = 500;
const HEALTH_DEADLINE_MS = 60_000;

/** Begins with the gateway. `close` it. */
export class GatewayWatch {
  readonly #gateway: GatewayProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #over = new AbortController();
  #beforeMb = 0;
  #peakMb = 0;
  #nowMb = 0;
  #lap: Lap | undefined;
  #loggedBefore = 0;
  #askedAtMs: number | undefined;
  #longestSilenceMs = 0;

  constructor(gateway: GatewayProcess) {
    this.#gateway = gateway;
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
  }

  /** Memory when the attack began. */
  get beforeMb(): number {
    return this.#beforeMb;
  }

  lapBegan(lap: Lap): void {
    this.#lap = lap;
    if (lap !== 'during') return;
    this.#look();
    this.#beforeMb = this.#nowMb;
    this.#peakMb = this.#nowMb;
    this.#loggedBefore = this.#gateway.logLines;
  }

  async untilMemoryIsBelow(limitMb: number, deadlineMs: number): Promise<void> {
    const givesUpAtMs = performance.now() + deadlineMs;
    do {
      await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
      this.#look();
    } while (this.#nowMb > limitMb && performance.now() < givesUpAtMs);
  }

  result(): Pick<
    AttackObservation,
    'end' | 'beforeMb' | 'peakMb' | 'afterMb' | 'logLines' | 'longestSilenceMs'
  > {
    return {
      end: this.#gateway.end ?? null,
      beforeMb: Math.round(this.#beforeMb),
      peakMb: Math.round(this.#peakMb),
      afterMb: Math.round(this.#nowMb),
      logLines: this.#gateway.logLines - this.#loggedBefore,
      longestSilenceMs: Math.round(this.#longestSilenceMs),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#over.abort();
  }

  #look(): void {
    if (this.#gateway.end !== undefined) return;
    this.#nowMb = this.#gateway.usage().memoryMb;
    this.#peakMb = Math.max(this.#peakMb, this.#nowMb);
    if (this.#askedAtMs !== undefined) {
      this.#silentFor(performance.now() - this.#askedAtMs);
      return;
    }
    const askedAtMs = performance.now();
    this.#askedAtMs = askedAtMs;
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(HEALTH_DEADLINE_MS)]);
    fetch(`${this.#gateway.url}/healthz`, { signal })
      .then((response) => response.text())
      // A gateway that is gone is told of by its end.
      .catch(() => undefined)
      .finally(() => {
        this.#silentFor(performance.now() - askedAtMs);
        this.#askedAtMs = undefined;
      });
  }

  #silentFor(ms: number): void {
    if (this.#lap === 'during' || this.#lap === 'after')
      this.#longestSilenceMs = Math.max(this.#longestSilenceMs, ms);
  }
}
