/** Under which names people stand in one transcript. */
import { shownName, type Speaker } from '../../protocol/index.js';
import { shortenText, textColumns } from './text-columns.js';
import { speakerKey, type Transcript } from './transcript-entry.js';

/** Letters that are written from right to left: a name of them would turn the rest of its line around. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
/** First strong isolate, and its end. */
const FSI = '\u2068';
const PDI = '\u2069';

interface Person {
  readonly identity: string;
  readonly name: string;
}

/**
 * Identity decides who somebody is: of several with the same shown name the second is "Ana (2)", in every format and in every part of
 * the transcript.
 */
export class SpeakerNames {
  /** Of everybody under each name that they have had: which of those who share it they are. */
  readonly #numbers = new Map<string, number>();
  readonly #taken = new Map<string, string>();

  constructor({ people, entries }: Pick<Transcript, 'people' | 'entries'>) {
    for (const person of people ?? peopleOf(entries)) this.#number(person);
  }

  /** What to call somebody. `maxColumns`: cut where it is longer, but never what tells people apart. */
  nameOf({ identity, name, label }: Person & Pick<Speaker, 'label'>, maxColumns = Infinity): string {
    const shown = shownName(name, identity);
    const number = this.#numbers.get(keyOf({ identity, name })) ?? 1;
    const rest = `${number === 1 ? '' : ` (${number})`}${label === undefined ? '' : ` (${shownName(label, '')})`}`;
    return `${shortenText(shown, Math.max(2, maxColumns - textColumns(rest)))}${rest}`;
  }

  #number(person: Person): void {
    const key = keyOf(person);
    if (this.#numbers.has(key)) return;
    const shown = shownName(person.name, person.identity);
    for (let number = 1; ; number += 1) {
      const name = looksOf(number === 1 ? shown : `${shown} (${number})`);
      const owner = this.#taken.get(name) ?? person.identity;
      if (owner !== person.identity) continue;
      this.#taken.set(name, person.identity);
      this.#numbers.set(key, number);
      return;
    }
  }
}

/** Everybody of a transcript, speakers and writers, in the order in which they appear. */
export function peopleOf(entries: Transcript['entries']): Person[] {
  const people = new Map<string, Person>();
  for (const entry of entries) {
    people.set(keyOf(entry.speaker), entry.speaker);
    if (entry.kind === 'segment' && entry.author !== undefined) people.set(keyOf(entry.author), entry.author);
  }
  return [...people.values()];
}

/** A name as it stands in a line of text, so that it cannot turn the line around. */
export const isolated = (name: string): string => (RIGHT_TO_LEFT.test(name) ? `${FSI}${name}${PDI}` : name);

const keyOf = ({ identity, name }: Person): string => JSON.stringify([identity, name]);
/** Names that look the same are the same. */
const looksOf = (name: string): string => name.normalize('NFKC').toLowerCase();

/** Tells one turn from the next. */
export const turnKey = (speaker: Speaker, author: Person | undefined): string =>
  JSON.stringify([speakerKey(speaker), author?.identity ?? '']);
