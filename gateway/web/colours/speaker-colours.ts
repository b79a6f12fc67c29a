import type { Speaker } from '../../../protocol/index.js';

/** `.speaker-0` to `.speaker-7` in caption-styles.ts. */
export const SPEAKER_COLOURS = 8;
/** More than there are lines on a page: nobody whose words are still to be seen is forgotten. */
const MAX_REMEMBERED = 1000;

/**
 * Gives each speaker a colour of their own, in the order in which they appear; from the ninth on they repeat. Of very many, those
 * who said nothing for longest are forgotten.
 */
export class SpeakerColours {
  readonly #indexes = new Map<string, number>();
  #next = 0;

  /** The CSS class of a speaker. */
  classOf({ identity, label }: Pick<Speaker, 'identity' | 'label'>): string {
    const key = JSON.stringify([identity, label]);
    const known = this.#indexes.get(key);
    const index = known ?? this.#next++ % SPEAKER_COLOURS;
    // A Map gives its keys in the order in which they were added.
    this.#indexes.delete(key);
    this.#indexes.set(key, index);
    const [oldest] = this.#indexes.keys();
    if (this.#indexes.size > MAX_REMEMBERED && oldest !== undefined) this.#indexes.delete(oldest);
    return `speaker-${index}`;
  }
}
