import { BeamSearch } from './beam-search.js';
import { BeamState } from './beam-state.js';
import { GreedySearch, GreedyState, type SearchParts } from './greedy-search.js';
import type { HotwordGraph } from './hotword-graph.js';
import type { EmittedToken, SavedSearch, Search, SearchInput, SearchState } from './search.js';

/** A state of one of the two searches, which changes when the stream is given its first vocabulary, or loses it. */
export class VocabularyState implements SearchState {
  current: GreedyState | BeamState;

  constructor(current: GreedyState | BeamState) {
    this.current = current;
  }

  get settled(): readonly EmittedToken[] {
    return this.current.settled;
  }

  get open(): readonly EmittedToken[] {
    return this.current.open;
  }

  get trailingBlankFrames(): number {
    return this.current.trailingBlankFrames;
  }
}

type Input = SearchInput<VocabularyState>;

/**
 * Greedy search for streams without a vocabulary and beam search for those with one, side by side in one call: favouring phrases
 * takes several hypotheses, and without phrases they gain next to nothing for their cost.
 */
export class VocabularySearch implements Search<VocabularyState> {
  readonly #greedy: GreedySearch;
  readonly #beam: BeamSearch;

  constructor(parts: SearchParts) {
    this.#greedy = new GreedySearch(parts);
    this.#beam = new BeamSearch(parts);
  }

  newState(hotwords?: HotwordGraph): VocabularyState {
    return new VocabularyState(
      hotwords === undefined ? this.#greedy.newState() : this.#beam.newState(hotwords),
    );
  }

  async advance(inputs: readonly Input[]): Promise<void> {
    const { greedy, beam } = divide(inputs);
    if (greedy.length > 0) await this.#greedy.advance(greedy);
    if (beam.length > 0) await this.#beam.advance(beam);
  }

  async lookAhead(inputs: readonly Input[]): Promise<EmittedToken[][]> {
    const { greedy, beam } = divide(inputs);
    const greedyTokens = await this.#greedy.lookAhead(greedy);
    const beamTokens = await this.#beam.lookAhead(beam);
    const greedyNext = greedyTokens.values();
    const beamNext = beamTokens.values();
    return inputs.map(
      ({ state }) => (state.current instanceof GreedyState ? greedyNext : beamNext).next().value ?? [],
    );
  }

  settle(state: VocabularyState): void {
    if (state.current instanceof BeamState) this.#beam.settle(state.current);
  }

  setHotwords(state: VocabularyState, hotwords: HotwordGraph | undefined): void {
    if (state.current instanceof BeamState) {
      state.current.setHotwords(hotwords);
      // What is open goes on as the best hypothesis has it.
      if (hotwords === undefined) state.current = this.#greedy.restore(this.#beam.save(state.current));
    } else if (hotwords !== undefined) {
      const beam = this.#beam.restore(this.#greedy.save(state.current));
      beam.setHotwords(hotwords);
      state.current = beam;
    }
  }

  save({ current }: VocabularyState): SavedSearch {
    return current instanceof BeamState ? this.#beam.save(current) : this.#greedy.save(current);
  }

  restore(saved: SavedSearch, hotwords?: HotwordGraph): VocabularyState {
    return new VocabularyState(
      hotwords === undefined ? this.#greedy.restore(saved) : this.#beam.restore(saved, hotwords),
    );
  }
}

function divide(inputs: readonly Input[]): {
  greedy: SearchInput<GreedyState>[];
  beam: SearchInput<BeamState>[];
} {
  const greedy: SearchInput<GreedyState>[] = [];
  const beam: SearchInput<BeamState>[] = [];
  for (const input of inputs) {
    const { current } = input.state;
    if (current instanceof GreedyState) greedy.push({ ...input, state: current });
    else beam.push({ ...input, state: current });
  }
  return { greedy, beam };
}
