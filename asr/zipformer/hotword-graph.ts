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
  worth = 0;
  kept = 0;
  boost = 0;
  endsPhrase = false;
  /** The longest other beginning of a phrase that this one ends with. */
  failure: Place | undefined;
  /** How many tokens are said here. */
  readonly depth: number;

  constructor(
    /** Number of the place in its graph. */
    readonly index: number,
    /** The place before, and the token that leads from there to here; the start has none. */
    readonly parent?: Place,
    readonly token = NO_TOKEN,
  ) {
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  get said(): readonly number[] {
    const tokens = [this.token];
    for (let place = this.parent; place !== undefined; place = place.parent) tokens.push(place.token);
    // The last one is the start, which has none.
    return tokens.slice(0, -1).reverse();
  }
}

const NO_TOKEN = -1;
/** More than any model has tokens: a place and a token together make one number. */
const MAX_TOKENS = 2 ** 20;
/** Of a place with its entry in the map, roughly. */
const BYTES_PER_PLACE = 200;

export interface HotwordStep {
  readonly place: HotwordPlace;
  /** What the token adds to a hypothesis' score; below 0 where a phrase breaks off. */
  readonly gain: number;
}

export class HotwordGraph {
  readonly #root = new Place(0);
  /** All places but the start, by the place before and the token: a map for each place would mostly hold one entry. */
  readonly #next = new Map<number, Place>();

  /** Phrases without tokens are left out; of the same phrase twice the larger boost counts. */
  constructor(phrases: readonly HotwordTokens[]) {
    for (const { ids, boost } of phrases) this.#add(ids, boost);
    this.#link();
  }

  get start(): HotwordPlace {
    return this.#root;
  }

  /** Roughly what it takes in memory. */
  get sizeBytes(): number {
    return (this.#next.size + 1) * BYTES_PER_PLACE;
  }

  /** `from`: a place of this graph. */
  step(from: HotwordPlace, token: number): HotwordStep {
    const here = from instanceof Place ? from : this.#root;
    const child = this.#after(here, token);
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
    return (
      said.reduce<Place | undefined>((place, token) => place && this.#after(place, token), this.#root) ??
      this.#root
    );
  }

  /** Tokens of a phrase already complete do not begin another one: they would be worth their boost twice. */
  #elsewhere(here: Place, token: number): Place {
    let place = here.kept > 0 ? this.#root : here.failure;
    while (place !== undefined) {
      const next = this.#after(place, token);
      if (next !== undefined) return next;
      place = place.failure;
    }
    return this.#root;
  }

  #after(place: Place, token: number): Place | undefined {
    return this.#next.get(place.index * MAX_TOKENS + token);
  }

  #add(ids: readonly number[], boost: number): void {
    let place = this.#root;
    for (const id of ids) {
      let next = this.#after(place, id);
      if (next === undefined) {
        next = new Place(this.#next.size + 1, place, id);
        this.#next.set(place.index * MAX_TOKENS + id, next);
      }
      next.boost = Math.max(next.boost, boost);
      place = next;
    }
    if (place !== this.#root) place.endsPhrase = true;
  }

  /** Short beginnings first: failure links lead to shorter ones only, which are complete by then. */
  #link(): void {
    const places = [...this.#next.values()].sort((a, b) => a.depth - b.depth);
    for (const place of places) {
      const { parent = this.#root, token } = place;
      let failure = parent.failure;
      while (failure !== undefined && this.#after(failure, token) === undefined) failure = failure.failure;
      place.failure = (failure && this.#after(failure, token)) ?? this.#root;
      place.worth = parent.worth + place.boost;
      place.kept = place.endsPhrase ? place.worth : Math.max(parent.kept, place.failure.kept);
    }
  }
}
