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
  /** Of another track of the same person. */
  readonly label?: string;
}

/**
 * Identity decides who somebody is: of several with the same shown name the second is "Ana (2)", in every format and in every part of
 * the transcript. `maxColumns`: names are cut where they are longer, but never what tells people apart.
 */
export class SpeakerNames {
  /** Of everybody under each name that they have had: which of those who share it they are. */
  readonly #numbers = new Map<string, number>();
  readonly #taken = new Map<string, string>();

  readonly #maxColumns: number;

  constructor({ people, entries }: Pick<Transcript, 'people' | 'entries'>, maxColumns = Infinity) {
    this.#maxColumns = maxColumns;
    const forms = new Map<string, Person[]>();
    for (const person of people ?? peopleOf(entries)) {
      const key = keyOf(person);
      forms.set(key, [...(forms.get(key) ?? []), person]);
    }
    for (const ofOne of forms.values()) this.#number(ofOne);
  }

  /** What to call somebody. */
  nameOf(person: Person): string {
    return this.#numbered(person, this.#numbers.get(keyOf(person)) ?? 1);
  }

  #numbered({ identity, name, label }: Person, number: number): string {
    const rest = `${number === 1 ? '' : ` (${number})`}${label === undefined ? '' : ` (${shownName(label, '')})`}`;
    const columns = Math.max(2, this.#maxColumns - textColumns(rest));
    return `${shortenText(shownName(name, identity), columns)}${rest}`;
  }

  /** One number for all that somebody does under one name: their voice, their shared screen. */
  #number(forms: readonly Person[]): void {
    const [person] = forms;
    if (person === undefined) return;
    for (let number = 1; ; number += 1) {
      const looks = forms.map((form) => looksOf(this.#numbered(form, number)));
      if (!looks.every((look) => (this.#taken.get(look) ?? person.identity) === person.identity)) continue;
      for (const look of looks) this.#taken.set(look, person.identity);
      this.#numbers.set(keyOf(person), number);
      return;
    }
  }
}

/** Everybody of a transcript, speakers and writers, in the order in which they appear. */
export function peopleOf(entries: Transcript['entries']): Person[] {
  const people = new Map<string, Person>();
  for (const entry of entries) {
    people.set(formKeyOf(entry.speaker), entry.speaker);
    if (entry.kind === 'segment' && entry.author !== undefined)
      people.set(formKeyOf(entry.author), entry.author);
  }
  return [...people.values()];
}

/** A name as it stands in a line of text, so that it cannot turn the line around. */
export const isolated = (name: string): string => (RIGHT_TO_LEFT.test(name) ? `${FSI}${name}${PDI}` : name);

const keyOf = ({ identity, name }: Person): string => JSON.stringify([identity, name]);
const formKeyOf = (person: Person): string => JSON.stringify([keyOf(person), person.label ?? '']);
/** Names that look the same are the same. */
const looksOf = (name: string): string => name.normalize('NFKC').toLowerCase();

/** Tells one turn from the next. */
export const turnKey = (speaker: Speaker, author: Person | undefined): string =>
  JSON.stringify([speakerKey(speaker), author?.identity ?? '']);
