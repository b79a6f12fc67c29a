import type { Speaker } from '../../../protocol/index.js';

/** `.speaker-0` to `.speaker-7` in page.css. */
export const SPEAKER_COLOURS = 8;

/** Gives each speaker a colour of their own, in the order in which they appear; from the ninth on they repeat. */
export class SpeakerColours {
  readonly #indexes = new Map<string, number>();

  /** The CSS class of a speaker. */
  classOf({ identity, label }: Pick<Speaker, 'identity' | 'label'>): string {
    const key = JSON.stringify([identity, label]);
    const index = this.#indexes.get(key) ?? this.#indexes.size;
    this.#indexes.set(key, index);
    return `speaker-${index % SPEAKER_COLOURS}`;
  }
}
