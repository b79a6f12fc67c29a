const SWEEP_INTERVAL_MS = 30_000;

/** A limit that can be forgotten at times without anybody having more by it. */
export interface Restful {
  readonly isAtRest: boolean;
}

interface Kept<Limit extends object> {
  readonly limit: WeakRef<Limit>;
  /** Undefined once it is at rest: then it is kept by those who use it, if anybody does. */
  held: Limit | undefined;
}

/**
 * The limits of clients, over all their connections: who connects again goes on with what is left. A client is a text that
 * its token vouches for. Limits that are at rest are forgotten when no connection has them any more. `close` it.
 */
export class KeptByClient<Limit extends Restful> {
  readonly #limits = new Map<string, Kept<Limit>>();
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
    const kept = this.#limits.get(client);
    const limit = kept?.limit.deref() ?? this.#create();
    this.#limits.set(client, { limit: new WeakRef(limit), held: limit });
    return limit;
  }

  forgetThoseAtRest(): void {
    for (const [client, kept] of this.#limits) {
      const limit = kept.limit.deref();
      if (limit === undefined) this.#limits.delete(client);
      else kept.held = limit.isAtRest ? undefined : limit;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#limits.clear();
  }
}
