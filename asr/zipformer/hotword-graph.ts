/**
 * Phrases to favour, as a trie of tokens with failure links (Aho and Corasick), after k2-fsa's `ContextGraph`: every token
 * that goes on with a phrase is worth its boost at once, and what a phrase was worth is taken back when it breaks off.
 *
 * It differs from k2-fsa's where one phrase begins another ("La Suite", "La Suite Meet"): a complete phrase keeps its worth
 * however the longer one ends, and the longer one goes on being favoured.
 */

/** A phrase as token ids, and what each of its tokens is worth: a natural logarithm, above 0. */
export interface HotwordTokens {
  readonly ids: readonly number[];
  readonly boost: number;
}

/** How far a phrase has been said. */
export interface HotwordPlace {
  /** Its tokens so far; none where no phrase has begun. */
  readonly said: readonly number[];
  /** Sum of the boosts on the way here. */
  readonly worth: number;
  /** How much of it stays if nothing goes on from here: what the phrases completed on the way are worth. */
  readonly kept: number;
}

class Place implements HotwordPlace {
  readonly next = new Map<number, Place>();
  worth = 0;
  kept = 0;
  boost = 0;
  endsPhrase = false;
  readonly said: readonly number[];
  /** The longest other beginning of a phrase that this one ends with. */
  failure: Place | undefined;

  constructor(said: readonly number[]) {
    this.said = said;
  }
}

export interface HotwordStep {
  readonly place: HotwordPlace;
  /** What the token adds to a hypothesis' score; below 0 where a phrase breaks off. */
  readonly gain: number;
}

export class HotwordGraph {
  readonly #root = new Place([]);

  /** Phrases without tokens are left out; of the same phrase twice the larger boost counts. */
  constructor(phrases: readonly HotwordTokens[]) {
    for (const { ids, boost } of phrases) this.#add(ids, boost);
    this.#link();
  }

  get start(): HotwordPlace {
    return this.#root;
  }

  step(from: HotwordPlace, token: number): HotwordStep {
    const here = from instanceof Place ? from : this.#root;
    const child = here.next.get(token);
    if (child !== undefined) return { place: child, gain: child.worth - here.worth };
    const place = this.#elsewhere(here, token);
    return { place, gain: place.worth - (here.worth - here.kept) };
  }

  /** What a hypothesis loses that ends here, or whose phrases are not favoured any more; below 0 in the middle of a phrase. */
  breakOff(from: HotwordPlace): number {
    return from.kept - from.worth;
  }

  /** The place with these tokens in `said`, in a graph of the same phrases. Where there is none, the start. */
  find(said: readonly number[]): HotwordPlace {
    return said.reduce<Place | undefined>((place, token) => place?.next.get(token), this.#root) ?? this.#root;
  }

  /** Tokens of a phrase already complete do not begin another one: they would be worth their boost twice. */
  #elsewhere(here: Place, token: number): Place {
    let place = here.kept > 0 ? this.#root : here.failure;
    while (place !== undefined) {
      const next = place.next.get(token);
      if (next !== undefined) return next;
      place = place.failure;
    }
    return this.#root;
  }

  #add(ids: readonly number[], boost: number): void {
    let place = this.#root;
    for (const id of ids) {
      let next = place.next.get(id);
      if (next === undefined) {
        next = new Place([...place.said, id]);
        place.next.set(id, next);
      }
      next.boost = Math.max(next.boost, boost);
      place = next;
    }
    if (place !== this.#root) place.endsPhrase = true;
  }

  /** Breadth first: failure links lead to shorter beginnings only, which are complete by then. */
  #link(): void {
    const queue: Place[] = [this.#root];
    for (const place of queue) {
      for (const [token, next] of place.next) {
        let failure = place.failure;
        while (failure !== undefined && !failure.next.has(token)) failure = failure.failure;
        next.failure = place === this.#root ? this.#root : (failure?.next.get(token) ?? this.#root);
        next.worth = place.worth + next.boost;
        next.kept = next.endsPhrase ? next.worth : Math.max(place.kept, next.failure.kept);
        queue.push(next);
      }
    }
  }
}
