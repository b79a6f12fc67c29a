import type { CaptionError } from '../../protocol/index.js';

/** Those who wait for the first child to be ready, or for the reason why none will be. */
export class FirstReady {
  readonly #waiters = new Set<{ resolve: () => void; reject: (error: CaptionError) => void }>();

  wait(): Promise<void> {
    return new Promise<void>((resolve, reject) => this.#waiters.add({ resolve, reject }));
  }

  settle(error?: CaptionError): void {
    for (const waiter of this.#waiters) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
    this.#waiters.clear();
  }
}
