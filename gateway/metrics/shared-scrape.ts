import type { Registry } from 'prom-client';

/** Making the text of all metrics takes milliseconds of the thread that sends captions: all who ask within a while share one. */
export class SharedScrape {
  readonly #registry: Registry;
  readonly #keptForMs: number;
  #text: Promise<string> | undefined;
  #madeAtMs = -Infinity;

  constructor(registry: Registry, keptForMs: number) {
    this.#registry = registry;
    this.#keptForMs = keptForMs;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    const nowMs = performance.now();
    if (this.#text === undefined || nowMs - this.#madeAtMs >= this.#keptForMs) {
      this.#madeAtMs = nowMs;
      this.#text = this.#registry.metrics();
    }
    return this.#text;
  }
}
