const SWEEP_INTERVAL_MS = 30_000;

/** A limit that can be forgotten at times without anybody having more by it. */
export interface Restful {
  readonly isAtRest: boolean;
}

/**
 * The limits of clients, over all their connections: who connects again goes on with what is left. A client is a text that
 * its token vouches for. Limits that are at rest are forgotten. `close` it.
 */
export class KeptByClient<Limit extends Restful> {
  readonly #limits = new Map<string, Limit>();
  readonly #create: () => Limit;
  readonly #timer: NodeJS.Timeout;

  constructor(create: () => Limit) {
    this.#create = create;
    this.#timer = setInterval(() => this.forgetThoseAtRest(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#limits.size;
  }

  /** One of its own for a client that nobody vouches for (undefined). */
  of(client: string | undefined): Limit {
    if (client === undefined) return this.#create();
    let limit = this.#limits.get(client);
    if (limit === undefined) {
      limit = this.#create();
      this.#limits.set(client, limit);
    }
    return limit;
  }

  forgetThoseAtRest(): void {
    for (const [client, limit] of this.#limits) if (limit.isAtRest) this.#limits.delete(client);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#limits.clear();
  }
}
