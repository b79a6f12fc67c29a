import type { CaptionError } from '../../protocol/index.js';
import type { Logger } from '../log.js';
import type { GatewayMetrics } from '../metrics/gateway-metrics.js';

const LINE_INTERVAL_MS = 1000;

/**
 * Where refusals are counted and logged: each in the metrics, and at most one line a second, with the number of those that have
 * none. Whoever is refused a thousand times a second must not fill the disk. `close` it.
 */
export class RefusalLog {
  readonly #metrics: GatewayMetrics;
  readonly #log: Logger;
  #waiting: { code: string; what: string } | undefined;
  #unlogged = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(metrics: GatewayMetrics, log: Logger) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** `what` was asked for, in words of ours: no address as it came. An error that is no refusal has a line of its own. */
  refused(error: CaptionError, what: string): void {
    this.#metrics.refused(error.code);
    if (error.code === 'internal_error') this.#log.error({ err: error.cause, what }, 'request failed');
    else if (this.#timer === undefined) this.#write({ code: error.code, what });
    else {
      this.#unlogged += 1;
      this.#waiting = { code: error.code, what };
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #write(refusal: { code: string; what: string }): void {
    this.#log.warn({ ...refusal, unlogged: this.#unlogged }, 'refused');
    this.#unlogged = 0;
    this.#waiting = undefined;
    this.#timer = setTimeout(() => this.#nextLine(), LINE_INTERVAL_MS);
    this.#timer.unref();
  }

  #nextLine(): void {
    this.#timer = undefined;
    if (this.#waiting === undefined) return;
    // The one that is written is none of those without a line.
    this.#unlogged -= 1;
    this.#write(this.#waiting);
  }
}
